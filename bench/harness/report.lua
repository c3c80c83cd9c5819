-- wrk's figures as one line of JSON, with the percentiles that its own output leaves out. There are no functions for each request here: they would cost.
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format('{"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "p999": %.6f, "failures": %d, "bytes": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency:percentile(99.9) / 1e6,
        e.connect + e.read + e.write + e.status + e.timeout, summary.bytes))
end
