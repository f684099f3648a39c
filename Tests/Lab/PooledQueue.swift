/// One ideal queue before all links together: it knows what each will carry, and serves the oldest byte first.
///
/// Fed at a fixed rate it loses what no scheduler could bring in time. Fed more than the links carry, it is the
/// clairvoyant controller: what it serves is the most that a source with this ceiling could have delivered, with nothing lost.
package enum PooledQueue {
    /// - Parameter payloadShare: of wire bytes.
    /// - Returns: the share lost of what was offered, and the share of the links' room that was payload in time, in percent.
    package static func run(
        _ links: [SimulatedLink], kbit: Double, latencyMs: Int, seconds: Double, warmup: Double = 2, payloadShare: Double = 1316.0 / 1385
    ) -> (lossPercent: Double, goodputPercent: Double) {
        let ways = links.map { SimulatedWay($0, seed: 1) }
        let least = links.map(\.delayMs).min() ?? 0
        let age = latencyMs - Int(least.rounded(.up))
        let each = kbit / 8 / payloadShare
        var waiting: [(ms: Int, bytes: Double)] = []
        var head = 0
        var lost = 0.0
        var served = 0.0
        var room = 0.0
        let start = Int(warmup * 1000)
        for ms in 0..<Int(seconds * 1000) {
            waiting.append((ms, each))
            while head < waiting.count, waiting[head].ms < ms - age {
                if waiting[head].ms >= start { lost += waiting[head].bytes }
                head += 1
            }
            var free = ways.reduce(0.0) { $0 + Double($1.room(at: ms)) }
            if ms >= start { room += free }
            while free > 0, head < waiting.count {
                let part = min(free, waiting[head].bytes)
                free -= part
                if ms >= start { served += part }
                waiting[head].bytes -= part
                if waiting[head].bytes <= 0 { head += 1 }
            }
        }
        let offered = each * Double(Int(seconds * 1000) - start)
        return (lost / offered * 100, served * payloadShare / max(room, 1) * 100)
    }
}
