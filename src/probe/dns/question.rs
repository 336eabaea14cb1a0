//! The question as bytes, and what an answer to it means.

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use regex::Regex;

use super::params::Params;
use crate::model::observation::ErrorClass;

/// What fits into a datagram on every path; more comes cut short.
pub const DATAGRAM_LONGEST: u16 = 1232;

pub struct Question {
    query: Query,
    expect: Option<Regex>,
    at_least: usize,
}

impl Question {
    pub fn new(params: &Params) -> Result<Question, String> {
        let expect = params.expect.as_deref().map(Regex::new).transpose();
        Ok(Question {
            query: Query::query(params.question_name()?, params.kind.record_type()),
            expect: expect.map_err(|e| format!("`expect` is not a regular expression: {e}"))?,
            at_least: params.at_least,
        })
    }

    /// A message with a number of its own, and that number.
    pub fn ask(&self) -> Result<(u16, Vec<u8>), ErrorClass> {
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.add_query(self.query.clone());
        let mut edns = Edns::new();
        edns.set_max_payload(DATAGRAM_LONGEST);
        message.set_edns(edns);
        let bytes = message.to_vec().map_err(|_| ErrorClass::Ours)?;
        Ok((message.metadata.id, bytes))
    }

    /// None: this is the answer to another question, which may still be on its way.
    pub fn judge(&self, number: u16, bytes: &[u8]) -> Option<Result<(), ErrorClass>> {
        if bytes.get(..2).is_some_and(|id| id != number.to_be_bytes()) {
            return None;
        }
        let Ok(message) = Message::from_vec(bytes) else {
            return Some(Err(ErrorClass::WrongAnswer));
        };
        if message.metadata.message_type != MessageType::Response {
            return Some(Err(ErrorClass::WrongAnswer));
        }
        // A server that cannot read the question may leave it out of its answer.
        if message.queries.first().is_some_and(|query| query != &self.query) {
            return None;
        }
        Some(match message.metadata.response_code {
            ResponseCode::NoError if self.count(&message) >= self.at_least => Ok(()),
            ResponseCode::NXDomain => Err(ErrorClass::NoSuchName),
            ResponseCode::ServFail => Err(ErrorClass::Unavailable),
            ResponseCode::Refused | ResponseCode::NotAuth => Err(ErrorClass::Denied),
            _ => Err(ErrorClass::WrongAnswer),
        })
    }

    fn count(&self, message: &Message) -> usize {
        let asked = message.answers.iter().filter(|r| r.record_type() == self.query.query_type());
        let fits = |text: &str| self.expect.as_ref().is_none_or(|expect| expect.is_match(text));
        asked.filter(|record| fits(&record.data.to_string())).count()
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::{A, CNAME};
    use hickory_proto::rr::{Name, RData, Record};

    use super::*;

    fn question(more: serde_json::Value) -> Question {
        let mut params = serde_json::json!({"server": "10.0.0.1:53", "name": "shop.test"});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Question::new(&serde_json::from_value(params).unwrap()).unwrap()
    }

    /// An answer with these addresses behind an alias.
    fn answer(asked: &[u8], code: ResponseCode, addresses: &[[u8; 4]]) -> Vec<u8> {
        let mut message = Message::from_vec(asked).unwrap().into_response();
        message.metadata.response_code = code;
        let name: Name = "shop.test.".parse().unwrap();
        let alias = RData::CNAME(CNAME("front.test.".parse().unwrap()));
        message.add_answer(Record::from_rdata(name.clone(), 1, alias));
        for address in addresses {
            let data = RData::A(A((*address).into()));
            message.add_answer(Record::from_rdata(name.clone(), 1, data));
        }
        message.to_vec().unwrap()
    }

    #[test]
    fn records_of_the_asked_type_that_fit_are_counted() {
        let two = [[10, 0, 0, 1], [10, 0, 0, 2]];
        for (more, found, right) in [
            (serde_json::json!({}), &two[..], true),
            (serde_json::json!({}), &[], false),
            (serde_json::json!({"atLeast": 2}), &two, true),
            (serde_json::json!({"atLeast": 3}), &two, false),
            (serde_json::json!({"expect": r"\.2$"}), &two, true),
            (serde_json::json!({"expect": r"\.2$", "atLeast": 2}), &two, false),
            (serde_json::json!({"expect": "front"}), &two, false),
        ] {
            let question = question(more.clone());
            let (number, asked) = question.ask().unwrap();
            let judged = question.judge(number, &answer(&asked, ResponseCode::NoError, found));
            let expected = if right { Ok(()) } else { Err(ErrorClass::WrongAnswer) };
            assert_eq!(judged, Some(expected), "{more}");
        }
    }

    #[test]
    fn each_code_has_its_class_even_with_records() {
        let question = question(serde_json::json!({}));
        for (code, class) in [
            (ResponseCode::NXDomain, ErrorClass::NoSuchName),
            (ResponseCode::ServFail, ErrorClass::Unavailable),
            (ResponseCode::Refused, ErrorClass::Denied),
            (ResponseCode::NotImp, ErrorClass::WrongAnswer),
            (ResponseCode::FormErr, ErrorClass::WrongAnswer),
        ] {
            let (number, asked) = question.ask().unwrap();
            let judged = question.judge(number, &answer(&asked, code, &[[10, 0, 0, 1]]));
            assert_eq!(judged, Some(Err(class)), "{code:?}");
        }
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        let question = question(serde_json::json!({}));
        let (number, asked) = question.ask().unwrap();
        let right = answer(&asked, ResponseCode::NoError, &[[10, 0, 0, 1]]);
        assert_eq!(question.judge(number.wrapping_add(1), &right), None);
        let other = self::question(serde_json::json!({"name": "other.test"}));
        assert_eq!(other.judge(number, &right), None);
        assert_eq!(question.judge(number, &asked), Some(Err(ErrorClass::WrongAnswer)));
        assert_eq!(question.judge(number, &right[..20]), Some(Err(ErrorClass::WrongAnswer)));
        assert_eq!(question.judge(number, &[]), Some(Err(ErrorClass::WrongAnswer)));
    }

    #[test]
    fn each_question_has_a_number_of_its_own() {
        let question = question(serde_json::json!({}));
        let numbers: std::collections::BTreeSet<u16> =
            (0..64).map(|_| question.ask().unwrap().0).collect();
        assert!(numbers.len() > 32, "{}", numbers.len());
    }
}
