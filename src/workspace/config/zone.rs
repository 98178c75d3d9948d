//! Time zones by name, from the tables that the program carries with it.

use jiff::tz::{TimeZone, db};

use crate::workspace::config::nearest::nearest;
use crate::workspace::config::text::Fault;

/// The zone of this name (`Europe/Berlin`); nothing of this machine is asked.
pub fn zone(name: &str) -> Option<TimeZone> {
    // A file's name or a POSIX rule would depend on the machine, or name no place.
    db().get(name).ok()
}

/// What is wrong with a zone's name; `None` where nothing is.
pub fn fault(name: &str) -> Option<Fault> {
    if zone(name).is_some() {
        return None;
    }
    let names: Vec<String> = db().available().map(|known| known.to_string()).collect();
    let near = nearest(name, names.iter().map(String::as_str)).or_else(|| city(name, &names));
    Some(Fault {
        message: format!("`{name}` is no time zone"),
        help: match near {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "name a place of the time zone database: `Europe/Berlin`, `America/New_York`, `UTC`"
                .to_owned(),
        },
    })
}

/// The zone whose last part is meant, where only the city is named.
fn city<'n>(name: &str, names: &'n [String]) -> Option<&'n str> {
    let wanted = name.to_lowercase().replace(' ', "_");
    let is_it = |known: &&String| known.rsplit('/').next().is_some_and(|last| last.to_lowercase() == wanted);
    names.iter().find(is_it).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_zone_is_proposed() {
        let help = |name: &str| fault(name).map(|fault| fault.help);
        assert_eq!(help("Europe/Berlin"), None);
        assert_eq!(help("UTC"), None);
        assert_eq!(help("Europe/Berln").as_deref(), Some("did you mean \"Europe/Berlin\"?"));
        assert_eq!(help("new york").as_deref(), Some("did you mean \"America/New_York\"?"));
        assert!(help("Middle-earth/Shire").unwrap().starts_with("name a place"));
        assert!(help("").unwrap().starts_with("name a place"));
    }
}
