//! The published schemas are those that the tool prints.

use crate::world::World;

#[test]
fn the_published_schemas_are_those_that_the_tool_prints() {
    for (format, published) in [
        ("config", include_str!("../../docs/config.schema.json")),
        ("plan", include_str!("../../docs/plan.schema.json")),
    ] {
        let printed = World::new().release(["schema", format]);
        assert_eq!(
            printed.out, published,
            "`release schema {format} > docs/{format}.schema.json` brings it up to date"
        );
    }
}
