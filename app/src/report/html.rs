//! The report as HTML: one file, no scripts, nothing fetched.

use std::fmt::Write as _;

use super::{Report, Table};
use crate::drawing::svg::{base64, escape, png};

const STYLE: &str = "\
:root{color-scheme:light}\
body{font:14px/1.5 Pretendard,'Noto Sans KR','Malgun Gothic',system-ui,sans-serif;color:#18202b;background:#fff;margin:0}\
main{max-width:1080px;margin:0 auto;padding:28px 24px}\
h1{font-size:26px;margin:0}h2{font-size:15px;margin:0 0 6px}\
.sub{color:#525e6e;margin:2px 0 16px}\
.trust{border-left:4px solid #8a5500;background:#fdf6e9;padding:8px 14px;margin:0 0 18px}.trust p{margin:4px 0}\
.grid{display:grid;grid-template-columns:1fr 1fr;gap:22px}\
figure,section{margin:0 0 20px;break-inside:avoid}figcaption{font-weight:600;margin-bottom:6px}\
img,svg{max-width:100%;height:auto}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th{font-weight:600;color:#525e6e;border-bottom:1.5px solid #b9c2ce;text-align:right;padding:3px 6px;font-size:12.5px}\
td{border-bottom:1px solid #dce1e8;text-align:right;padding:3px 6px}\
th.w,td.w{text-align:left}\
.note{color:#525e6e;font-size:12px;margin:4px 0 0}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:0;font-size:12px}\
dt{color:#525e6e}dd{margin:0;overflow-wrap:anywhere}\
@media(max-width:760px){.grid{grid-template-columns:1fr}}\
@media print{main{padding:0}}";

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n<p class=\"sub\">{}</p>\n",
        escape(report.language),
        escape(&report.title),
        escape(&report.title),
        escape(&report.subtitle)
    );
    if !report.trust.is_empty() {
        html.push_str("<div class=\"trust\">");
        for sentence in &report.trust {
            let _ = write!(html, "<p>{}</p>", escape(sentence));
        }
        html.push_str("</div>\n");
    }
    html.push_str("<div class=\"grid\">\n<div>\n");
    let [settings, provenance, picture] = &report.titles;
    if let Some(bytes) = report.picture.as_deref().and_then(png) {
        let _ = writeln!(
            html,
            "<figure><img alt=\"{}\" src=\"data:image/png;base64,{}\"></figure>",
            escape(picture),
            base64(&bytes)
        );
    }
    for figure in &report.figures {
        let title = escape(&figure.title);
        let _ = writeln!(html, "<figure><figcaption>{title}</figcaption>\n{}</figure>", figure.drawing.to_svg());
    }
    html.push_str("</div>\n<div>\n");
    report.tables.iter().for_each(|table| write_table(&mut html, table));
    html.push_str("</div>\n</div>\n<div class=\"grid\">\n");
    for (title, list) in [(settings, &report.settings), (provenance, &report.provenance)] {
        let _ = write!(html, "<section><h2>{}</h2><dl>", escape(title));
        for (name, value) in list {
            let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
        }
        html.push_str("</dl></section>\n");
    }
    html.push_str("</div>\n</main>\n</body>\n</html>\n");
    html
}

fn write_table(html: &mut String, table: &Table) {
    let class = |column: usize| if column < table.words { " class=\"w\"" } else { "" };
    let _ = write!(html, "<section><h2>{}</h2>\n<table><thead><tr>", escape(&table.title));
    for (column, head) in table.head.iter().enumerate() {
        let _ = write!(html, "<th scope=\"col\"{}>{}</th>", class(column), escape(head));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        html.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(html, "<td{}>{}</td>", class(column), escape(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table>");
    if !table.note.is_empty() {
        let _ = write!(html, "<p class=\"note\">{}</p>", escape(&table.note));
    }
    html.push_str("</section>\n");
}
