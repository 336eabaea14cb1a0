//! A drill that is also seen through Prometheus, whose word is late and coarse, and never taken for
//! better than it is.

use super::stand::Stand;

const LAB: &str = r#"
apiVersion: squall.dev/v1alpha1
kind: Lab
metadata: {name: t-MARK}
spec:
  title: a web server, and Prometheus that scrapes it once a second
  services:
    web:
      hosts: [w1]
      command: [nginx, -e, stderr, -p, "{{dir}}", -c, "{{dir}}/nginx.conf", -g, "env T=/t-MARK;"]
      package: nginx-light
      port: 80
      files:
        nginx.conf: |
          user root; daemon off; master_process off; pid {{dir}}/nginx.pid; error_log stderr warn;
          events { worker_connections 64; }
          http {
              access_log off; client_body_temp_path {{dir}}/b; proxy_temp_path {{dir}}/p;
              fastcgi_temp_path {{dir}}/f; uwsgi_temp_path {{dir}}/u; scgi_temp_path {{dir}}/s;
              server {
                  listen {{host.ipv4}}:80; default_type text/plain; return 200 "canary 7\n";
              }
          }
      ready: [{http: {path: /}}]
      restart: {always: {after: 2s}}
    prometheus:
      hosts: [m1]
      command: [prometheus, "--config.file={{dir}}/p.yml", "--storage.tsdb.path={{dir}}/t-MARK",
                "--web.listen-address={{host.ipv4}}:9090", --log.level=error]
      package: prometheus
      port: 9090
      files:
        p.yml: |
          global: {scrape_interval: 1s, scrape_timeout: 1s}
          scrape_configs:
          - {job_name: web, static_configs: [{targets: ['{{services.web[0].ipv4}}:80']}]}
      ready: [{http: {path: /-/ready}}]
"#;

const DRILL: &str = r#"
apiVersion: squall.dev/v1alpha1
kind: Experiment
metadata: {name: witness}
spec:
  title: what Prometheus saw of it
  lab: lab.yaml
  targets: {web: {lab: {service: web}}}
  probes:
    web: {http: {url: "http://{{lab.web}}/"}, rate: 50/s, deadline: 250ms}
    up:
      prometheus: {url: "http://{{lab.prometheus}}", query: 'up{job="web"}', expect: {atLeast: 1}}
      rate: 10/s
      deadline: 250ms
  steadyState: {for: 500ms, within: 30s}
  method: [{at: 0s, hold: 1s, inject: {processKill: {target: web}}}]
  hypothesis: [{downtime: {probe: up, atMost: 6s}}]
  recoveryWatch: 15s
"#;

fn stand(drill: &str) -> Stand {
    let stand = Stand::new();
    std::fs::write(stand.path("lab.yaml"), LAB.replace("MARK", &stand.mark)).unwrap();
    std::fs::write(stand.path("drill.yaml"), drill).unwrap();
    stand
}

#[test]
fn its_figure_has_the_scrape_interval_as_its_error_and_is_right_within_it() {
    let stand = stand(DRILL);
    let ran = stand.run_drill(&[]);
    let report = stand.report();
    let outage = |probe: &str| {
        let outages = report["probes"][probe]["outages"].as_array().unwrap();
        assert_eq!(outages.len(), 1, "{ran:?}");
        let seconds = |key: &str| outages[0][key].as_f64().unwrap();
        (seconds("lengthSeconds"), seconds("errorSeconds"), outages[0]["character"].clone())
    };
    let (seen, error, character) = outage("up");
    let (truth, _, _) = outage("web");
    assert!((1.0..4.0).contains(&error) && character == "samples", "{seen} {error}");
    assert!((seen - truth).abs() <= error, "{seen} ± {error}, and it was {truth}");
    assert!(ran.out.contains("Of samples that"), "{ran:?}");
    stand.assert_nothing_left();
}

#[test]
fn a_query_that_it_does_not_understand_ends_the_drill_before_it_begins() {
    let broken = DRILL.replace("'up{job=\"web\"}'", "'sum(up', freshBy: up");
    let stand = stand(&broken);
    let ran = stand.run_drill(&[]);
    assert_ne!(ran.code, Some(0), "{ran:?}");
    let said = "nothing was injected: up: Prometheus does not understand the query";
    assert!(ran.err.contains(said), "{ran:?}");
    assert!(!ran.err.contains("not ready within"), "{ran:?}");
    stand.assert_nothing_left();
}
