//! The fields of a form that was posted.

use super::refusal::Refusal;

/// A form, decoded.
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Whatever the bytes are, they are some form.
    pub(super) fn of(body: &[u8]) -> Self {
        Self { fields: form_urlencoded::parse(body).into_owned().collect() }
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(key, value)| key == name && !value.is_empty());
        field.map(|(_, value)| value.as_str())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        let missing = || Refusal::of("invalid_request", format!("EPM sandbox: the field `{name}` is missing"));
        self.value(name).ok_or_else(missing)
    }

    /// No field comes twice. // RFC 6749 §3.2
    pub(super) fn sound(&self) -> Result<(), Refusal> {
        let is_repeated = |name: &String| self.fields.iter().filter(|(key, _)| key == name).count() > 1;
        match self.fields.iter().find(|(name, _)| is_repeated(name)) {
            Some((name, _)) => Err(Refusal::of("invalid_request", format!("EPM sandbox: `{name}` is there twice"))),
            None => Ok(()),
        }
    }

    /// Whether a refresh token is asked for.
    pub(super) fn is_offline(&self) -> bool {
        self.value("scope").is_some_and(|scope| scope.split(' ').any(|word| word == "offline_access"))
    }
}
