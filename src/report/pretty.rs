//! A document that people read: the same, on many lines.

/// Breaks compact JSON into lines. Nothing but white space is added, so every number and text
/// stands as it is sent.
pub(super) fn pretty(compact: &str) -> String {
    let mut text = String::with_capacity(compact.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    let mut chars = compact.chars().peekable();
    while let Some(c) = chars.next() {
        if in_text {
            text.push(c);
            (in_text, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '{' | '[' => {
                text.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(close);
                } else {
                    depth += 1;
                    line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => {
                in_text = c == '"';
                text.push(c);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::pretty;
    use serde_json::{Value, json};

    #[test]
    fn only_white_space_is_added() {
        let value = json!({
            "a": [1, 2.50, {"b": {}}, []],
            "quote \" and \\": "{\"[,:]\\",
            "z": [[null]],
        });
        let compact = value.to_string();
        let text = pretty(&compact);
        assert_eq!(text, serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert_eq!(pretty("{}"), "{}");
        assert_eq!(pretty("[1e+300,0.1]"), "[\n  1e+300,\n  0.1\n]");
    }
}
