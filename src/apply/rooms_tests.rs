use crate::world::tools::tests::{or_skip, test_cache};

use super::*;

const LIMIT: Duration = Duration::from_secs(300);

async fn uv() -> Option<Installer> {
    or_skip(test_cache().private_uv().await).map(Installer::Uv)
}

#[tokio::test]
async fn the_next_trial_finds_the_room_empty_at_the_same_path() {
    let Some(uv) = uv().await else { return };
    let rooms = Rooms::default();
    let room = rooms.take(&uv, None, LIMIT).await.unwrap();
    let place = "import sys; print(sys.prefix)";
    let first = room.environment.python(place, &[]).await.unwrap().stdout;
    let litter = "import os, sys, sysconfig\nopen(os.path.join(os.path.expanduser('~'), 'note'), 'w').close()\n\
                  open(os.path.join(sysconfig.get_path('purelib'), 'left.py'), 'w').close()\nimport left";
    assert!(room.environment.python(litter, &[]).await.unwrap().success());
    assert!(room.environment.python("import left", &[]).await.unwrap().success());
    rooms.give_back(room);

    let room = rooms.take(&uv, None, LIMIT).await.unwrap();
    assert_eq!(room.environment.python(place, &[]).await.unwrap().stdout, first);
    assert!(!room.environment.python("import left", &[]).await.unwrap().success());
    let home = "import os, sys; sys.exit(len(os.listdir(os.path.expanduser('~'))))";
    assert!(room.environment.python(home, &[]).await.unwrap().success());
    assert!(room.environment.installed().unwrap().is_empty());
}

#[tokio::test]
async fn a_room_is_for_the_pythons_it_was_made_for() {
    let Some(uv) = uv().await else { return };
    let rooms = Rooms::default();
    let room = rooms.take(&uv, Some(">=3.9"), LIMIT).await.unwrap();
    rooms.give_back(room);
    let other = rooms.take(&uv, Some(">=3.8"), LIMIT).await.unwrap();
    assert_eq!(rooms.state().used.len(), 1);
    assert_eq!(other.requires_python.as_deref(), Some(">=3.8"));
}

#[tokio::test]
async fn no_more_rooms_are_prepared_than_trials_go_on_at_once() {
    let Some(uv) = uv().await else { return };
    let rooms = Rooms::default();
    for _ in 0..3 {
        rooms.prepare(uv.clone(), None, LIMIT, 2);
    }
    assert_eq!(rooms.state().coming.len(), 2);
    let _room = rooms.take(&uv, None, LIMIT).await.unwrap();
    assert_eq!(rooms.state().coming.len(), 1);
}

#[tokio::test]
async fn a_room_that_could_not_be_prepared_or_emptied_is_made_anew() {
    let Some(uv) = uv().await else { return };
    let rooms = Rooms::default();
    let Installer::Uv(tool) = uv.clone() else { return };
    let gone = Installer::Uv(crate::world::tools::Tool { program: "/no/such/uv".into(), ..tool });
    rooms.prepare(gone.clone(), None, LIMIT, 1);
    let room = rooms.take(&uv, None, LIMIT).await.unwrap();
    let ruin = "import os, sys; os.rename(sys.prefix, sys.prefix + '-gone')";
    assert!(room.environment.python(ruin, &[]).await.unwrap().success());
    rooms.give_back(room);
    let room = rooms.take(&uv, None, LIMIT).await.unwrap();
    assert!(room.environment.python("pass", &[]).await.unwrap().success());
    assert!(rooms.take(&gone, None, LIMIT).await.is_err());
}
