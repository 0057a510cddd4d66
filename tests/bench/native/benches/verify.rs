//! The same contenders under criterion: times with their distribution, and changes since the run before.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hookgate_bench_native::{BODY_BYTES, Request, contenders};

fn verify(criterion: &mut Criterion) {
    for body_bytes in BODY_BYTES {
        let mut group = criterion.benchmark_group("verify");
        group
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2))
            .throughput(Throughput::Bytes(body_bytes as u64));
        // Signed anew for each size: the contenders take no request older than five minutes.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock after 1970");
        for contender in contenders(&Request::new(body_bytes, now.as_secs())) {
            group.bench_function(BenchmarkId::new(contender.name, body_bytes), |bencher| {
                bencher.iter(|| contender.judge());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, verify);
criterion_main!(benches);
