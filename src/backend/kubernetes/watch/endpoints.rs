//! Endpoints of the targets' pods. A slice may be heard of before the pods that it names, so what
//! it says is kept until they are known.

use std::collections::{BTreeMap, BTreeSet};

use super::facts;
use super::objects::Slice;
use crate::model::cluster_seen::EndpointSeen;

/// Of one pod in one slice.
type Key = (String, String);

#[derive(Default)]
pub struct Endpoints {
    /// As the server has them.
    known: BTreeMap<Key, EndpointSeen>,
    told: BTreeMap<Key, EndpointSeen>,
    /// Slices by feed.
    slices: BTreeMap<usize, BTreeSet<String>>,
}

/// `shop/web-x2x4z`
pub fn name(slice: &Slice) -> String {
    format!("{}/{}", slice.metadata.namespace, slice.metadata.name)
}

impl Endpoints {
    /// What is new of the pods in `ours`.
    pub fn is(&mut self, feed: usize, slice: &Slice, ours: &BTreeSet<String>) -> Vec<EndpointSeen> {
        let key = name(slice);
        self.slices.entry(feed).or_default().insert(key.clone());
        let now = facts::endpoints(slice);
        let named = |uid: &String| now.iter().any(|endpoint| endpoint.uid == *uid);
        let mut news = self.forget(|(of, uid)| *of == key && !named(uid));
        for endpoint in now {
            let uid = endpoint.uid.clone();
            self.known.insert((key.clone(), uid.clone()), endpoint);
            if ours.contains(&uid) {
                news.extend(self.of(&uid));
            }
        }
        news
    }

    /// The slice is there no more.
    pub fn gone(&mut self, feed: usize, slice: &str) -> Vec<EndpointSeen> {
        if let Some(slices) = self.slices.get_mut(&feed) {
            slices.remove(slice);
        }
        self.forget(|(of, _)| of == slice)
    }

    /// These are all slices that the feed has now.
    pub fn only(&mut self, feed: usize, there: &BTreeSet<String>) -> Vec<EndpointSeen> {
        let known = self.slices.get(&feed).into_iter().flatten();
        let lost: Vec<String> = known.filter(|slice| !there.contains(*slice)).cloned().collect();
        lost.iter().flat_map(|slice| self.gone(feed, slice)).collect()
    }

    /// What was not told yet of the endpoints of a pod.
    pub fn of(&mut self, uid: &str) -> Vec<EndpointSeen> {
        let all = self.known.iter().filter(|((_, of), _)| of == uid);
        let news: Vec<(Key, EndpointSeen)> = all
            .filter(|(key, seen)| self.told.get(*key) != Some(*seen))
            .map(|(key, seen)| (key.clone(), seen.clone()))
            .collect();
        self.told.extend(news.iter().cloned());
        news.into_iter().map(|(_, seen)| seen).collect()
    }

    fn forget(&mut self, lost: impl Fn(&Key) -> bool) -> Vec<EndpointSeen> {
        self.known.retain(|key, _| !lost(key));
        let told: Vec<Key> = self.told.keys().filter(|key| lost(key)).cloned().collect();
        let gone = |seen| EndpointSeen { ready: false, gone: true, ..seen };
        told.iter().filter_map(|key| self.told.remove(key)).map(gone).collect()
    }
}
