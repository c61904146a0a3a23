//! Keys that carry their documentation, and the commented file made of them.

use serde::Serialize;

/// One key of a configuration file.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Full path, sections joined by dots: `http.listen`.
    pub path: String,
    /// What it says, one string per line.
    pub docs: Vec<&'static str>,
    /// Its default as TOML; none for a key that may be left out.
    pub default: Option<toml::Value>,
}

/// A configuration struct written with [`config!`](crate::config!).
pub trait Documented {
    /// What the file (or section) is for.
    fn docs() -> &'static [&'static str];

    /// All keys, in the order written, sections included with their paths.
    fn keys() -> Vec<Key>;
}

/// The commented file with every key at its default: what `--print-config` prints.
#[must_use]
pub fn print<T: Documented>() -> String {
    write_out::<T>(|key| key.default.clone())
}

/// The commented file with every key as `config` has it, for programs that found a service.
pub fn render<T: Documented + Serialize>(config: &T) -> String {
    let values = toml::Value::try_from(config).ok();
    write_out::<T>(|key| key.path.split('.').try_fold(values.as_ref()?, |value, part| value.get(part)).cloned())
}

fn write_out<T: Documented>(value_of: impl Fn(&Key) -> Option<toml::Value>) -> String {
    let mut text = comment(T::docs());
    let keys = T::keys();
    // TOML wants the keys of the root before the first section.
    for key in keys.iter().filter(|key| !key.path.contains('.')) {
        text.push_str(&entry(key, &key.path, value_of(key)));
    }
    let mut section = "";
    for key in &keys {
        let Some((table, name)) = key.path.rsplit_once('.') else { continue };
        if table != section {
            text.push_str(&format!("\n[{table}]\n"));
            section = table;
        }
        text.push_str(&entry(key, name, value_of(key)));
    }
    text
}

fn entry(key: &Key, name: &str, value: Option<toml::Value>) -> String {
    let line = match value {
        Some(value) => format!("{name} = {value}\n"),
        None => format!("# {name} =\n"),
    };
    format!("\n{}{line}", comment(&key.docs))
}

fn comment(docs: &[&str]) -> String {
    docs.iter().map(|line| format!("#{}\n", line.trim_end())).collect()
}

/// The default of a key as TOML; none if it has none. Used by [`config!`](crate::config!).
pub fn default_value(default: &impl Serialize) -> Option<toml::Value> {
    toml::Value::try_from(default).ok()
}

/// Puts a section's keys under its name. Used by [`config!`](crate::config!).
#[must_use]
pub fn in_section(section: &str, keys: Vec<Key>) -> Vec<Key> {
    keys.into_iter().map(|key| Key { path: format!("{section}.{}", key.path), ..key }).collect()
}

#[doc(hidden)]
pub use default_value as __default_value;
#[doc(hidden)]
pub use in_section as __in_section;

/// Declares a configuration struct with documented keys.
///
/// A key with `= default` is a value; a key without is a section, itself declared with this macro. Every key may
/// be left out of the file; a key that must be given has an `Option` or an empty default and is checked by the
/// service.
///
/// ```
/// service_kit::config! {
///     /// Settings of the sample service.
///     pub struct Sample {
///         /// Where citizens find it.
///         pub url: String = "https://127.0.0.1:9000".into(),
///         /// Where it listens.
///         pub http: Listening,
///     }
/// }
/// service_kit::config! {
///     /// Where the service listens.
///     pub struct Listening {
///         /// TCP port.
///         pub port: u16 = 9000,
///     }
/// }
/// let sample: Sample = service_kit::config::parse("http.port = 1", "sample.toml".as_ref()).unwrap();
/// assert_eq!((sample.http.port, sample.url.as_str()), (1, "https://127.0.0.1:9000"));
/// assert!(service_kit::config::parse::<Sample>("ulr = 'x'", "sample.toml".as_ref()).is_err());
/// ```
#[macro_export]
macro_rules! config {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $key_doc:literal])* $key_vis:vis $key:ident : $type:ty $(= $default:expr)? ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        $vis struct $name {
            $( $(#[doc = $key_doc])* $key_vis $key : $type, )*
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                Self { $( $key: $crate::__config_default!($type $(, $default)?), )* }
            }
        }

        impl $crate::config::Documented for $name {
            fn docs() -> &'static [&'static str] {
                &[$($doc),*]
            }

            fn keys() -> ::std::vec::Vec<$crate::config::Key> {
                let mut keys = ::std::vec::Vec::new();
                $( $crate::__config_keys!(keys, $key, [$($key_doc),*], $type $(, $default)?); )*
                keys
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __config_default {
    ($type:ty) => {
        <$type as ::std::default::Default>::default()
    };
    ($type:ty, $default:expr) => {
        $default
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __config_keys {
    ($keys:ident, $key:ident, [$($doc:literal),*], $type:ty) => {
        $keys.extend($crate::config::__in_section(stringify!($key), <$type as $crate::config::Documented>::keys()));
    };
    ($keys:ident, $key:ident, [$($doc:literal),*], $type:ty, $default:expr) => {{
        let default: $type = $default;
        $keys.push($crate::config::Key {
            path: stringify!($key).to_owned(),
            docs: vec![$($doc),*],
            default: $crate::config::__default_value(&default),
        });
    }};
}
