//! The report as one self-contained page: the template with the report's JSON in it, drawn by
//! the page's own few lines of script.

use super::Report;

/// The page; holds the mark once.
const TEMPLATE: &str = include_str!("page.html");
/// Where the JSON goes.
const MARK: &str = "/*REPORT*/null";

/// The page. Needs nothing but itself: no network, no other file.
#[must_use]
pub fn page(report: &Report) -> String {
    // Inside a script element `<` could end it (HTML §4.12.1.3); in JSON it only stands in text.
    let json = report.json().replace('<', "\\u003c");
    TEMPLATE.replacen(MARK, &json, 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn the_page_holds_the_report_and_nothing_from_elsewhere() {
        assert_eq!(TEMPLATE.matches(MARK).count(), 1);
        let page = page(&sample());
        assert!(!page.contains(MARK));
        assert!(page.contains("call \\u003c/script>"));
        assert_eq!(page.matches("</script>").count(), 1);
        for outside in ["src=", "href=", "url(", "http://", "https://", "@import", "fetch("] {
            let found = page.replace("http://www.w3.org/2000/svg", "").contains(outside);
            assert!(!found, "{outside}");
        }
    }
}
