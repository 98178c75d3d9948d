//! Requirements in every shape that PEP 508 allows.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;

/// Shows a requirement's parts, with the specifier's place marked in the text.
fn parts(text: &str) -> String {
    let read = Requirement::parse(text).unwrap();
    let Range { start, end } = read.specifier_span.clone();
    assert_eq!(read.specifier.as_deref().unwrap_or(""), &text[start..end], "{text}");
    let shown = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "{} | {} | {}<{}>{} | {} | {}",
        read.name,
        read.extras.join(" "),
        &text[..start],
        &text[start..end],
        &text[end..],
        shown(&read.marker),
        shown(&read.url),
    )
}

fn check(text: &str, expected: &str) {
    assert_eq!(parts(text), expected);
}

fn refusal(text: &str) -> String {
    Requirement::parse(text).unwrap_err().reason
}

#[test]
fn specifiers_are_found_where_they_stand() {
    check("acme-core>=1.0,<3", "acme-core |  | acme-core<>=1.0,<3> | - | -");
    check("Acme_Core == 1.0", "acme-core |  | Acme_Core <== 1.0> | - | -");
    check("acme.core~=1.4.2", "acme-core |  | acme.core<~=1.4.2> | - | -");
    check("  core >= 1.0 , < 3  ", "core |  |   core <>= 1.0 , < 3>   | - | -");
}

#[test]
fn parentheses_stay_outside() {
    check("acme-core (>=1.0,<3)", "acme-core |  | acme-core (<>=1.0,<3>) | - | -");
    check(
        "core[a]( >=1.0 ) ; extra == 'b'",
        "core | a | core[a]( <>=1.0> ) ; extra == 'b' | extra == 'b' | -",
    );
    assert!(Requirement::parse("core (>=1)").unwrap().parenthesised);
    assert!(!Requirement::parse("core >=1").unwrap().parenthesised);
}

#[test]
fn extras_and_markers_are_kept() {
    check(
        "name[extra1,extra2]>=1 ; python_version<\"3.12\"",
        "name | extra1 extra2 | name[extra1,extra2]<>=1> ; python_version<\"3.12\" | python_version<\"3.12\" | -",
    );
    check("name [ a , b ] >=1", "name | a b | name [ a , b ] <>=1> | - | -");
    check("name[]>=1", "name |  | name[]<>=1> | - | -");
    check("name>=1;os_name=='nt'", "name |  | name<>=1>;os_name=='nt' | os_name=='nt' | -");
}

#[test]
fn a_bare_name_says_where_specifiers_would_stand() {
    check("core", "core |  | core<> | - | -");
    check(" core ", "core |  |  core<>  | - | -");
    check(
        "core [fast] ; os_name == 'nt'",
        "core | fast | core [fast]<> ; os_name == 'nt' | os_name == 'nt' | -",
    );
    check("core ; os_name == 'nt'", "core |  | core<> ; os_name == 'nt' | os_name == 'nt' | -");
}

#[test]
fn a_url_stands_for_the_specifiers() {
    check(
        "core @ https://example.org/core.whl",
        "core |  | core<> @ https://example.org/core.whl | - | https://example.org/core.whl",
    );
    check(
        "core[a]@ file:///x;y.whl ; os_name == 'nt'",
        "core | a | core[a]<>@ file:///x;y.whl ; os_name == 'nt' | os_name == 'nt' | file:///x;y.whl",
    );
}

#[test]
fn environment_variables_in_urls_are_not_looked_up() {
    let read = Requirement::parse("core @ file://${HOME}/core").unwrap();
    assert_eq!(read.url.as_deref(), Some("file://${HOME}/core"));
}

#[test]
fn characters_outside_ascii_stand_only_in_quotations_and_urls() {
    check("core ; os_name == 'é'", "core |  | core<> ; os_name == 'é' | os_name == 'é' | -");
    check("core @ file:///ü.whl", "core |  | core<> @ file:///ü.whl | - | file:///ü.whl");
    for text in ["coré", "core>=1é", "core ; é == 'a'", "core ; python_version=='3a8'é", "core\u{a0}>=1"]
    {
        assert!(Requirement::parse(text).is_err(), "{text}");
    }
}

#[test]
fn other_texts_are_refused_with_the_reason() {
    assert_eq!(refusal(""), "it begins with no name");
    assert_eq!(refusal(">=1"), "it begins with no name");
    assert!(refusal("core- >=1").starts_with("`core-` is no name"));
    assert!(refusal("core[a-]").contains("no name of an extra"));
    assert!(refusal("core[a,]").contains("no name of an extra"));
    assert_eq!(refusal("core[a"), "`[` is never closed");
    assert_eq!(refusal("core (>=1"), "`(` is never closed");
    assert_eq!(refusal("core (>=1) x"), "expected `;` or the end, found `x`");
    assert_eq!(refusal("core 1.0"), "expected a specifier, `@` or `;`, found `1`");
    assert_eq!(refusal("core @ "), "no URL stands after `@`");
    assert_eq!(refusal("core ;"), "no marker stands after `;`");
    for text in
        ["core >=", "core =1", "core >=1.*", "core ~=1", "core ()", "core>=1 ; nonsense == 'a'", "core>=1,"]
    {
        let reason = refusal(text);
        assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}");
    }
    assert_eq!(
        Requirement::parse("core[a").unwrap_err().to_string(),
        "`core[a` is not a PEP 508 requirement: `[` is never closed"
    );
}

#[test]
fn an_evaluable_requirement_knows_extras_specifiers_and_marker() {
    let read = evaluable(" Acme.Core[fast] (>=1,<2) ; extra == 'x' and os_name == 'nt' ").unwrap();
    assert_eq!(PackageName::new(read.name.as_ref()), PackageName::new("acme-core"));
    assert_eq!(read.extras.len(), 1);
    assert!(read.marker != evaluable("core; extra == 'x'").unwrap().marker);
    assert_eq!(read.marker, evaluable("core ; os_name=='nt' and (extra=='x')").unwrap().marker);
    let url = evaluable("core @ file:///${HOME}/x.whl ; os_name == 'nt'").unwrap();
    assert!(url.to_string().contains("file:///${HOME}/x.whl"));
}

#[test]
fn what_can_not_be_evaluated_is_refused_before_it_is_tried() {
    let refused = |text: &str| evaluable(text).unwrap_err().reason;
    assert!(refused("core ; os_name == 'é'").contains("beyond ASCII"));
    assert!(refused("core @ file:///ü.whl").contains("beyond ASCII"));
    let deep = |depth| format!("core ; {}os_name == 'a'{}", "(".repeat(depth), ")".repeat(depth));
    assert!(evaluable(&deep(100)).is_ok());
    assert!(refused(&deep(101)).contains("parentheses"));
    assert!(refused(&format!("core ; {}", "(".repeat(200_000))).contains("marker"));
    let extras = |count| {
        let terms: Vec<String> = (0..count).map(|number| format!("extra=='e{number}'")).collect();
        format!("core ; {}", terms.join(" or "))
    };
    assert!(evaluable(&extras(100)).is_ok());
    assert!(refused(&extras(10_000)).contains("longer"));
    assert_eq!(refused("core- >=1"), refusal("core- >=1"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[a-c0-9. \\-_\\[\\](),;@<>=!~*'\"é\t]{0,24}") {
        let _ = Requirement::parse(&text);
        let _ = evaluable(&text);
    }

    #[test]
    fn no_marker_makes_it_panic(
        marker in "(python_version|python_full_version|extra|os_name|'3.8'|'a-'|''|not|in|==|<|>=|~=|===|!=|and|or|[() é]| ){0,9}",
    ) {
        let _ = Requirement::parse(&format!("core ; {marker}"));
        let _ = evaluable(&format!("core ; {marker}"));
    }

    #[test]
    fn the_specifier_can_be_replaced_where_it_stands(
        before in " {0,2}", name in "[a-z]([a-z._-]{0,4}[a-z])?", extras in "( ?\\[ ?[a-z]{1,3} ?(, ?[a-z]{1,3})?\\])?",
        specifier in "( ?(>=|==|<) ?[0-9]\\.[0-9](, ?<[0-9])?)?", after in " {0,2}(; os_name == 'nt')?",
    ) {
        let text = format!("{before}{name}{extras}{specifier}{after}");
        let read = Requirement::parse(&text).unwrap();
        prop_assert_eq!(read.specifier.as_deref().unwrap_or(""), specifier.trim());
        let mut edited = text.clone();
        edited.replace_range(read.specifier_span, "~=9.1");
        let again = Requirement::parse(&edited).unwrap();
        prop_assert_eq!(again.specifier.as_deref(), Some("~=9.1"));
        prop_assert!(again.name == read.name && again.extras == read.extras && again.marker == read.marker);
    }
}
