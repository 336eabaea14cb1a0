//! A page as a list of elements. Reading it proves that it is well-formed.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

#[derive(Debug, Clone)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Element {
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Is that one of its classes?
    pub fn is(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|all| all.split(' ').any(|one| one == class))
    }

    /// A coordinate.
    pub fn at(&self, key: &str) -> f64 {
        self.attribute(key).unwrap().parse().unwrap()
    }
}

/// HTML's `meta` has no end; everything else that we write is also XML.
fn as_xml(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap_or(page);
    while let Some((before, tail)) = rest.split_once("<meta ") {
        out += before;
        rest = tail.split_once('>').unwrap().1;
    }
    out + rest
}

/// All elements in order. It panics where the page is not well-formed.
pub fn elements(page: &str) -> Vec<Element> {
    let xml = as_xml(page);
    let mut reader = Reader::from_str(&xml);
    let mut elements = Vec::new();
    let mut open = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                elements.push(element(&tag));
                open += 1;
            }
            Event::Empty(tag) => elements.push(element(&tag)),
            Event::End(_) => open -= 1,
            Event::Eof => {
                assert_eq!(open, 0, "an element is not closed");
                return elements;
            }
            _ => {}
        }
    }
}

fn element(tag: &BytesStart) -> Element {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let attributes = tag.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap();
        (text(attribute.key.as_ref()), value.into_owned())
    });
    Element { name: text(tag.name().as_ref()), attributes: attributes.collect() }
}

/// All text of the page, as a reader sees it.
pub fn text(page: &str) -> String {
    let xml = as_xml(page);
    let mut out = String::new();
    let mut inside = false;
    for c in xml.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push('\n');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// The drawing with that id prefix, as elements.
pub fn drawing(page: &str, id: &str) -> Vec<Element> {
    let mark = format!("aria-labelledby=\"{id}-title");
    let at = page.find(&mark).unwrap_or_else(|| panic!("there is no drawing {id}"));
    let start = page[..at].rfind("<svg").unwrap();
    let end = at + page[at..].find("</svg>").unwrap() + "</svg>".len();
    elements(&page[start..end])
}
