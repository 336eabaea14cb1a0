//! What is run on which lab, in which order, and what must come out.

use super::drill::Drill;

const NONE: &[&str] = &[];

macro_rules! drills {
    ($name:ident: $(
        $file:literal $why:literal => [$($claim:literal $words:literal),*] $(may $may:expr)?;
    )*) => {
        pub const $name: &[Drill] = &[$(Drill {
            file: $file,
            why: $why,
            deviates: &[$(($claim, $words)),*],
            may: drills!(@may $($may)?),
        }),*];
    };
    (@may) => { NONE };
    (@may $may:expr) => { $may };
}

drills! { WEB:
    "pod-loss" "the other two serve, and the load balancer tries again" => [];
    "twins/pod-loss" "there is no other replica" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals",
        "recovery site" "good for good after"
    ];
    "all-pods" "each goes on serving until its replacement is ready" => [];
    "twins/all-pods" "without a readiness probe clients are sent to pods that do not serve yet" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals"
    ];
    "node-cut" "the load balancer sees which node is gone" => [];
    "twins/node-cut" "every node passes a third of its clients on to the pod that is out of reach" => [
        "availability site" "slots good"
    ] may &["latency site"];
    "twins/node-cut-of-all-pods" "all replicas are on that node" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals",
        "outage site" "it ended the hold"
    ];
    "kubelet-dead" "two nodes are left, and the pods of the third still serve" => [];
    "twins/kubelet-dead" "all endpoints are dropped with their node, though every pod serves" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals",
        "outage site" "it ended the hold"
    ];
    "zone-lost" "a pod of the other zone carries it all" => [];
    "twins/zone-lost" "all replicas are in that zone" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals",
        "outage site" "it ended the hold"
    ];
}

drills! { ADDONS:
    "redis-primary" "a replica is promoted and has the data" => [];
    "twins/redis-primary" "the pod that comes back is empty" => ["dataLoss writes" "writes lost over"];
    "coredns-lost" "the portal knows the address of its backend already" => [];
    "twins/coredns-lost" "the portal asks for the name again and again" => [
        "availability site" "slots good"
    ];
}

pub fn all() -> impl Iterator<Item = &'static Drill> {
    WEB.iter().chain(ADDONS)
}
