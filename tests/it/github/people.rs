//! Who somebody is.

use serde_json::json;

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::text::now;
use crate::github::tokens::Kind;

/// An installation's token speaks for no account.
pub fn myself(call: &mut Call<'_>) -> Answer {
    match call.token {
        None => Answer::refusal(401, "Requires authentication"),
        Some(token) if token.kind != Kind::Personal => Answer::refusal(403, token.message()),
        Some(_) => {
            let mut user = call.hub.make("public-user", json!({ "created_at": now(), "updated_at": now() }));
            if let (Some(all), Some(known)) = (user.as_object_mut(), call.user().as_object()) {
                all.extend(known.clone());
                all.insert("user_view_type".to_owned(), json!("public"));
            }
            Answer::ok(user)
        }
    }
}
