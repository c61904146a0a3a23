use super::*;

crate::config! {
    /// Settings of a sample service.
    struct Sample {
        /// Its name.
        name: String = "sample".into(),
        /// People who may call.
        /// Second line.
        allowed: Vec<String> = vec!["a".into()],
        /// Left out unless needed.
        proof: Option<PathBuf> = None,
        /// Where it listens.
        http: Listening,
        /// Free names.
        queries: std::collections::BTreeMap<String, toml::Value> = std::collections::BTreeMap::new(),
    }
}

crate::config! {
    /// Where it listens.
    struct Listening {
        /// TCP port.
        port: u16 = 9000,
    }
}

fn read(text: &str) -> Result<Sample, ConfigError> {
    parse(text, Path::new("sample.toml"))
}

#[test]
fn an_empty_file_means_the_defaults() {
    assert_eq!(read("").unwrap(), Sample::default());
}

#[test]
fn what_is_printed_reads_back_as_the_defaults() {
    let printed = print::<Sample>();
    assert_eq!(read(&printed).unwrap(), Sample::default());
    assert!(printed.starts_with("# Settings of a sample service.\n"), "{printed}");
    assert!(printed.contains("# People who may call.\n# Second line.\nallowed = [\"a\"]\n"), "{printed}");
    assert!(printed.contains("# proof =\n"), "{printed}");
    assert!(printed.contains("\n[http]\n\n# TCP port.\nport = 9000\n"), "{printed}");
}

#[test]
fn what_is_rendered_reads_back_as_it_was() {
    let mut sample = Sample { name: "a \"b\"".into(), proof: Some("p".into()), ..Sample::default() };
    sample.http.port = 7;
    let query: toml::Value = toml::Value::try_from(std::collections::BTreeMap::from([("dcql", "{}")])).unwrap();
    sample.queries.insert("adult".into(), query);
    assert_eq!(read(&render(&sample)).unwrap(), sample, "{}", render(&sample));
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known() {
    let refusal = |text| read(text).unwrap_err().to_string();
    assert_eq!(refusal("nmae = 'x'"), "sample.toml: unknown key `nmae`; did you mean `name`?");
    assert_eq!(refusal("[http]\nprot = 1"), "sample.toml: unknown key `http.prot`; did you mean `http.port`?");
    assert_eq!(refusal("[htpp]\nport = 1"), "sample.toml: unknown key `htpp`; did you mean `http`?");
    assert_eq!(refusal("whatever = 1"), "sample.toml: unknown key `whatever`");
}

#[test]
fn a_wrong_value_is_named_with_its_line() {
    let text = read("name = 'x'\n[http]\nport = 70000").unwrap_err().to_string();
    assert!(text.contains("line 3"), "{text}");
    assert!(read("http = 3").is_err());
    assert!(matches!(read("name = "), Err(ConfigError::Malformed { .. })));
}

#[test]
fn free_names_are_free() {
    let sample = read("[queries.adult]\ncredentials = []").unwrap();
    assert!(sample.queries.contains_key("adult"));
}

#[test]
fn a_missing_file_is_said_to_be_missing() {
    let missing = load::<Sample>(Path::new("/nonexistent/sample.toml"));
    assert!(matches!(missing, Err(ConfigError::Missing(_))));
}
