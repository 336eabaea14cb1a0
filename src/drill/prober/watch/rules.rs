//! From an instance's reply to its role: the first rule that fits.

use regex::bytes::Regex;
use serde_json::Value;

use crate::model::inventory::Role;
use crate::model::lab::{Check, RoleReader, RoleRule};

pub struct Rules {
    /// The reply must contain this before any rule is looked at.
    expect: Option<Regex>,
    rules: Vec<Rule>,
}

struct Rule {
    role: Role,
    matches: Option<Regex>,
    equal: Option<[String; 2]>,
}

impl Rules {
    /// Errors: in words.
    pub fn new(reader: &RoleReader) -> Result<Rules, String> {
        let expect = match &reader.ask {
            Check::Tcp(exchange) => &exchange.expect,
            Check::Http(exchange) => &exchange.expect,
        };
        let rules = reader.roles.iter().map(Rule::new).collect::<Result<Vec<_>, _>>()?;
        if rules.is_empty() {
            return Err("it has no rule that names a role".to_owned());
        }
        Ok(Rules { expect: expect.as_deref().map(pattern).transpose()?, rules })
    }

    /// None: no rule fits, or not yet.
    pub fn role_in(&self, reply: &[u8]) -> Option<Role> {
        if self.expect.as_ref().is_some_and(|expect| !expect.is_match(reply)) {
            return None;
        }
        let json = || serde_json::from_slice(reply).ok();
        let json = std::cell::LazyCell::<Option<Value>, _>::new(json);
        let fits = |rule: &&Rule| {
            rule.matches.as_ref().is_none_or(|pattern| pattern.is_match(reply))
                && rule.equal.as_ref().is_none_or(|two| equal(json.as_ref(), two))
        };
        self.rules.iter().find(fits).map(|rule| rule.role.clone())
    }
}

impl Rule {
    fn new(rule: &RoleRule) -> Result<Rule, String> {
        if rule.matches.is_none() && rule.equal.is_none() {
            return Err(format!("the rule for `{}` has neither `matches` nor `equal`", rule.role));
        }
        Ok(Rule {
            role: Role(rule.role.clone()),
            matches: rule.matches.as_deref().map(pattern).transpose()?,
            equal: rule.equal.clone(),
        })
    }
}

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|e| format!("`{text}` is not a regular expression: {e}"))
}

/// Both are there, are not empty, and are the same.
fn equal(json: Option<&Value>, pointers: &[String; 2]) -> bool {
    let at = |pointer: &String| json.and_then(|json| json.pointer(pointer)).filter(|v| !empty(v));
    match (at(&pointers[0]), at(&pointers[1])) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(json: serde_json::Value) -> Result<Rules, String> {
        Rules::new(&serde_json::from_value(json).unwrap())
    }

    fn role(rules: &Rules, reply: &str) -> Option<String> {
        rules.role_in(reply.as_bytes()).map(|role| role.0)
    }

    #[test]
    fn the_first_rule_that_fits_names_the_role() {
        let rules = rules(serde_json::json!({
            "ask": {"tcp": {"send": "INFO replication\r\n", "expect": "# Replication"}},
            "roles": [{"role": "primary", "matches": "role:master"},
                      {"role": "replica", "matches": "role:"}],
        }))
        .unwrap();
        assert_eq!(role(&rules, "# Replication\r\nrole:master").unwrap(), "primary");
        assert_eq!(role(&rules, "# Replication\r\nrole:slave").unwrap(), "replica");
        assert_eq!(role(&rules, "# Replication\r\n"), None);
        assert_eq!(role(&rules, "role:master"), None);
    }

    #[test]
    fn two_pointers_must_be_there_not_empty_and_the_same() {
        let rules = rules(serde_json::json!({
            "ask": {"http": {"method": "POST", "path": "/v3/maintenance/status"}},
            "roles": [{"role": "leader", "equal": ["/leader", "/header/member_id"]},
                      {"role": "follower", "matches": "member_id"}],
        }))
        .unwrap();
        let leads = r#"{"header":{"member_id":"7"},"leader":"7"}"#;
        assert_eq!(role(&rules, leads).unwrap(), "leader");
        let follows = r#"{"header":{"member_id":"7"},"leader":"8"}"#;
        assert_eq!(role(&rules, follows).unwrap(), "follower");
        for nobody in [
            r#"{"header":{"member_id":""},"leader":""}"#,
            r#"{"header":{"member_id":null},"leader":null}"#,
            r#"{"header":{"member_id":0},"leader":0}"#,
            r#"{"header":{"member_id":"7"}}"#,
            r#"{"header":{"member_id":"7"},"leader":"7""#,
        ] {
            assert_eq!(role(&rules, nobody).unwrap(), "follower", "{nobody}");
        }
    }

    #[test]
    fn a_rule_that_says_nothing_is_refused() {
        let ask = serde_json::json!({"tcp": {}});
        for (roles, says) in [
            (serde_json::json!([{"role": "x"}]), "neither"),
            (serde_json::json!([{"role": "x", "matches": "("}]), "regular expression"),
            (serde_json::json!([]), "no rule"),
        ] {
            let why = rules(serde_json::json!({"ask": ask, "roles": roles})).err().unwrap();
            assert!(why.contains(says), "{why}");
        }
    }
}
