//! Network faults on real packets, in namespaces that each test makes for itself.

mod world;

mod delay;
mod ends;
mod faults;
mod loss;
mod overlap;
mod partition;
mod speed;
