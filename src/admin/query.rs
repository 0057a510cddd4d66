//! Statements of the record's database, and of whom they ask.

use super::Operator;

/// A value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Number(i64),
}

/// A statement that finds one text, with the values of `?1`, `?2`, ….
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub sql: String,
    pub values: Vec<Value>,
}

/// Stands in a statement for the list of tenants that are configured: [`Query::with_tenants`] binds it.
pub const CONFIGURED: &str = "?CONFIGURED";

impl Query {
    /// Binds the tenants that are configured, a JSON list, where the statement asks for them.
    pub fn with_tenants(&mut self, list: impl FnOnce() -> String) {
        if self.sql.contains(CONFIGURED) {
            let place = self.bind(Value::Text(list()));
            self.sql = self.sql.replace(CONFIGURED, &place);
        }
    }

    /// Its place in the statement.
    pub fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        ["?", &self.values.len().to_string()].concat()
    }
}

/// Of whom something is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Everybody,
    /// As a JSON list.
    These(String),
}

impl Asked {
    /// Of the tenant that is named, as far as the operator sees him; or of all that he sees.
    pub fn of(tenant: Option<&str>, operator: &Operator) -> Asked {
        let list = |tenants: &[&str]| serde_json::to_string(tenants).unwrap_or_default();
        match (tenant, operator.tenants()) {
            (Some(tenant), _) if operator.sees(tenant) => Asked::These(list(&[tenant])),
            (Some(_), _) => Asked::These("[]".to_owned()),
            (None, Some(tenants)) => {
                let tenants: Vec<&str> = tenants.iter().map(String::as_str).collect();
                Asked::These(list(&tenants))
            }
            (None, None) => Asked::Everybody,
        }
    }
}

/// Tenants that have a record: one step of an index for each.
pub const EVERYBODY_RECORDED: &str = "\
  SELECT min(tenant) FROM records WHERE text IS NOT NULL
  UNION ALL
  SELECT (SELECT min(tenant) FROM records WHERE tenant > asked.tenant AND text IS NOT NULL) FROM asked WHERE asked.tenant IS NOT NULL";

/// The tenants of a JSON list.
pub fn of_list(list: &str) -> String {
    ["SELECT value FROM json_each(", list, ")"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenants_are_bound_once_and_where_they_are_asked_for() {
        let mut query = Query {
            sql: format!("SELECT ?1, {CONFIGURED}, {CONFIGURED}"),
            values: vec![Value::Number(7)],
        };
        query.with_tenants(|| "[]".to_owned());
        assert_eq!(query.sql, "SELECT ?1, ?2, ?2");
        assert_eq!(query.values[1..], [Value::Text("[]".to_owned())]);
        let before = query.clone();
        query.with_tenants(|| unreachable!("D1 takes no value that nobody asks for"));
        assert_eq!(query, before);
    }

    #[test]
    fn nobody_is_asked_of_tenants_whom_the_operator_does_not_see() {
        let everything = Operator::of_everything("one");
        assert_eq!(Asked::of(None, &everything), Asked::Everybody);
        let these = Asked::These(r#"["acme"]"#.to_owned());
        assert_eq!(Asked::of(Some("acme"), &everything), these);
        let scoped = Operator::of_tenants("two", &["acme"]);
        assert_eq!(Asked::of(None, &scoped), these);
        assert_eq!(Asked::of(Some("acme"), &scoped), these);
        let nobody = Asked::These("[]".to_owned());
        assert_eq!(Asked::of(Some("globex"), &scoped), nobody);
    }
}
