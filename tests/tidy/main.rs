//! The house rules, as tests over the text of the project. Each rule is a function from the tree to
//! everything that breaks it, and each is shown a tree that breaks it, so that it can fail.
//!
//! Only `std` is used: the rules hold before anything else can be built.

#![expect(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "all of it is a test, and paths of this project are lower case"
)]

mod catalogue;
mod doors;
mod files;
mod imports;
mod shape;
mod source;
mod words;

use source::Tree;

/// Prints all that is wrong, not only the first.
fn assert_clean(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

macro_rules! rules {
    ($($name:ident: $rule:path,)*) => {
        $(#[test]
        fn $name() {
            assert_clean(stringify!($name), &$rule(&Tree::read()));
        })*
    };
}

rules! {
    rooms_import_only_what_the_table_allows: imports::table,
    nobody_climbs_out_of_a_room: imports::climbing,
    spec_knows_only_the_doors_of_catalogues: imports::doors_only,
    pure_rooms_touch_no_clock_disk_network_or_chance: imports::pure,
    catalogue_entries_do_not_know_each_other: catalogue::siblings,
    catalogues_list_every_entry: catalogue::complete,
    fault_kinds_are_named_in_fault_only: catalogue::kinds_elsewhere,
    only_host_is_unsafe_or_starts_programs: doors::kernel,
    nobody_starts_a_shell_or_a_network_tool: doors::programs,
    files_are_short_and_say_what_they_are: shape::files,
    functions_are_short: shape::functions,
    no_file_is_dead: shape::dead,
    names_mean_something: words::names,
    nothing_is_left_to_do: words::unfinished,
    no_path_of_a_machine: words::paths,
    every_dependency_says_what_it_is_for: files::dependencies,
    every_test_is_run: files::tests_listed,
    every_shipped_yaml_names_its_schema: files::yaml,
}
