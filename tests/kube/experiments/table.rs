//! What is run on which lab, in which order, and what must come out.

use super::drill::Drill;

const NONE: &[&str] = &[];
/// They are many, and in series.
const LONGEST_S: u64 = 40;

macro_rules! drills {
    ($name:ident: $(
        $file:literal $why:literal => [$($claim:literal $words:literal),*] $(may $may:expr)?;
    )*) => {
        pub const $name: &[Drill] = &[$(Drill {
            file: $file,
            why: $why,
            deviates: &[$(($claim, $words)),*],
            may: drills!(@may $($may)?),
            longest_s: LONGEST_S,
        }),*];
    };
    (@may) => { NONE };
    (@may $may:expr) => { $may };
}

drills! { WEB:
    "pod-loss" "the other two serve, and the load balancer tries again" => [];
    "twins/pod-loss-of-the-only-one" "there is no other replica" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals",
        "recovery site" "good for good after"
    ];
    "all-pods" "each goes on serving until its replacement is ready" => [];
    "twins/all-pods-that-do-not-tell"
        "without a readiness probe clients are sent to pods that do not serve yet" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals"
    ] may &["outage site"];
    "eviction" "its budget lets one pod go, and refuses the others" => [];
    "twins/eviction-without-a-budget" "there is no budget, so that all go at once" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals",
        "budgetRespected" "no PodDisruptionBudget covers deployment frail/hasty"
    ] may &["outage site"];
    "drain" "its pods are replaced on other nodes" => [];
    "twins/drain-against-a-strict-budget"
        "the budget lets no pod go, ever" => ["rescheduled" "0 of 1 lost pod"];
    "rollout" "no old pod ends before a new one is ready" => [];
    "twins/rollout-that-does-not-wait" "nobody waits until new pods serve" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals"
    ] may &["outage site"];
    "config-gone" "the rollout stops at the first pod that cannot start" => [];
    "twins/config-gone-and-all-pods-with-it"
        "all old pods are ended before the new ones find that they cannot start" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals"
    ] may &["outage site"];
    "node-cut" "the load balancer sees which node is gone" => [];
    "twins/node-cut-behind-every-node"
        "every node passes a third of its clients on to the pod out of reach" => [
        "latency site" "of "
    ] may &["availability site"];
    "twins/node-cut-of-all-pods" "all replicas are on that node" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals",
        "outage site" "it ended the hold"
    ];
    "kubelet-dead" "two nodes are left, and the pods of the third still serve" => [];
    "twins/kubelet-dead-under-all-pods"
        "all endpoints are dropped with their node, though every pod serves" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals",
        "outage site" "it ended the hold",
        "podsReady" "of 3 pods"
    ];
    "twins/kubelet-dead-and-no-place" "a pod on each node, and a node too few" => [
        "podsReady" "didn't match pod topology spread constraints"
    ];
    "zone-lost" "a pod of the other zone carries it all" => [];
    "twins/zone-lost-with-all-pods" "all replicas are in that zone" => [
        "availability site" "slots good",
        "longestOutage site" "of refusals",
        "outage site" "it ended the hold"
    ] may &["endpointsDropped"];
    "scheduler-and-node" "the scheduler is back before it is needed" => [];
    "twins/scheduler-and-node-when-it-hangs" "a scheduler that hangs is not started again" => [
        "rescheduled" "lost pod"
    ];
}

drills! { ADDONS:
    "redis-primary-pod" "a replica is promoted and has the data" => [];
    "twins/redis-primary-pod-of-one"
        "the pod that comes back is empty" => ["dataLoss writes" "writes lost over"];
    "coredns-lost" "the portal knows the address of its backend already" => [];
    "twins/coredns-lost-and-asked-every-second" "the portal asks for the name again and again" => [
        "availability site" "slots good"
    ];
    "scale-up" "the autoscaler counts what is left, and what is left serves" => [];
    "twins/scale-up-without-requests"
        "pods that ask for no CPU have no share of it to scale by" => [
        "podsReady" "2 of 4"
    ];
}

/// Too long for a pipeline.
pub const FULL: &[Drill] = &[Drill {
    file: "full/node-cut-as-it-comes",
    why: "50 s of silence, and 300 s in which a pod may come back",
    deviates: &[],
    may: NONE,
    longest_s: 400,
}];

pub fn all() -> impl Iterator<Item = &'static Drill> {
    WEB.iter().chain(ADDONS)
}
