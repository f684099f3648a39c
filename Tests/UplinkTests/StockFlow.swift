import Posix

@testable import Uplink

/// A stock flow by arithmetic: links with a rate, a way and a queue, librist's rotation with the weights of a `WeightPlan`, and a receiver that asks as
/// librist 0.2.7 does. Milliseconds; no randomness.
struct StockFlow {
    struct Link {
        var kbit = 1600.0
        var wayMs = 30
        var queueMs = 200.0
        /// When nothing passes.
        var dark = 0..<0
        /// Each so-manyth packet is lost.
        var losesEach = Int.max
    }

    struct Outcome {
        var sent = 0
        var lost = 0
        var sentAgain = 0
        /// Requests that were held back.
        var held = 0
        /// From a packet that was lost to when it was there, at the most.
        var repairMs = 0
    }

    /// At which time link 0's way, upwards, becomes longer by so much.
    var change = (atMs: 0, longerMs: 0)
    var links: [Link]
    var kbit = 3400.0
    var bufferMs = 1000
    /// Whether requests are judged; else each is answered, as librist does by itself.
    var isJudged = true
    /// The receiver's own: it asks after half of the least round trip, but not sooner than this.
    var reorderMs = 25

    private static let packetKbit = 1400 * 8 / 1000.0

    private struct State {
        var queues: [Double]
        var counts: [Int]
        /// What arrives when, at the receiver and at the sender.
        var arrivals: [Int: [(number: Int, link: Int)]] = [:]
        var requests: [Int: [(numbers: [Int], link: Int)]] = [:]
        var echoes: [Int: [(mark: UInt64, link: Int)]] = [:]
        var hasCome: Set<Int> = []
        var newest = -1
        /// When each that is missing is asked for next, and how often it was.
        var missing: [Int: (at: Int, times: Int)] = [:]
        var trips: [Int]
        /// Eight times librist's means of them.
        var means: [Int]
        var plan = WeightPlan()
        var weights: [Int]
        /// How many each link is still given in this round of librist's rotation.
        var rest: [Int]
        var judge: RequestJudge
        var outcome = Outcome()
    }

    func run(seconds: Int) -> Outcome {
        let full = links.map { _ in WeightPlan.full }
        var state = State(
            queues: links.map { _ in 0 }, counts: links.map { _ in 0 }, trips: links.map { $0.wayMs + 30 },
            means: links.map { 8 * ($0.wayMs + 30) }, weights: full, rest: full, judge: RequestJudge(buffer: .milliseconds(bufferMs)))
        var made: [Int] = []
        var owed = 0.0
        for now in 0..<seconds * 1000 {
            for link in links.indices { state.queues[link] = max(0, state.queues[link] - links[link].kbit / 1000) }
            owed += kbit / 1000
            while owed >= Self.packetKbit, now < (seconds - 2) * 1000 {
                owed -= Self.packetKbit
                send(made.count, over: chosen(&state), at: now, &state)
                made.append(now)
            }
            if now > 0, now % 250 == 0 { weigh(&state) }
            if now % 100 == 0 { for link in links.indices { ask(link, now, &state) } }
            receive(now, made, &state)
            answer(now, &state)
        }
        state.outcome.sent = made.count
        // Not of the last second: behind the very last packet comes none that shows that it is missing.
        state.outcome.lost = made.indices.filter { !state.hasCome.contains($0) && made[$0] < (seconds - 3) * 1000 }.count
        return state.outcome
    }

    private func instant(_ ms: Int) -> Instant { Instant(nanoseconds: Int64(ms + 1000) * 1_000_000) }

    /// The link with the most left.
    private func chosen(_ state: inout State) -> Int {
        if state.rest.allSatisfy({ $0 <= 0 }) { state.rest = state.weights }
        let link = state.rest.firstIndex(of: state.rest.max()!)!
        state.rest[link] -= 1
        return link
    }

    private func weigh(_ state: inout State) {
        var seen: [String: WeightPlan.Observation] = [:]
        for link in links.indices { seen["\(link)"] = .init(isLive: true, rttMs: state.means[link] / 8) }
        state.plan.step(seen)
        let weights = state.plan.weights(seen)
        state.weights = links.indices.map { weights["\($0)"]! }
        state.rest = links.indices.map { min(state.rest[$0], state.weights[$0]) }
    }

    private func way(_ link: Int, _ now: Int) -> Int { links[link].wayMs + (link == 0 && now >= change.atMs ? change.longerMs : 0) }

    private func send(_ number: Int, over link: Int, at now: Int, _ state: inout State) {
        state.judge.sent(UInt16(truncatingIfNeeded: number), over: link, at: instant(now))
        state.counts[link] += 1
        guard (state.queues[link] + Self.packetKbit) / links[link].kbit * 1000 <= links[link].queueMs else { return }
        state.queues[link] += Self.packetKbit
        guard !links[link].dark.contains(now), state.counts[link] % links[link].losesEach != 0 else { return }
        state.arrivals[now + way(link, now) + Int(state.queues[link] / links[link].kbit * 1000), default: []].append((number, link))
    }

    /// A question goes the way of the packets, its answer takes 30 ms.
    private func ask(_ link: Int, _ now: Int, _ state: inout State) {
        state.judge.asked(UInt64(now), over: link, at: instant(now))
        guard !links[link].dark.contains(now) else { return }
        let there = now + way(link, now) + Int(state.queues[link] / links[link].kbit * 1000)
        state.echoes[there + 30, default: []].append((UInt64(now), link))
        state.judge.heard(over: link, at: instant(now))
    }

    private func receive(_ now: Int, _ made: [Int], _ state: inout State) {
        for (number, _) in state.arrivals.removeValue(forKey: now) ?? [] where now - made[number] <= bufferMs + 30 {
            state.hasCome.insert(number)
            if let missed = state.missing.removeValue(forKey: number), missed.times > 0 {
                state.outcome.repairMs = max(state.outcome.repairMs, now - made[number])
            }
            guard number > state.newest else { continue }
            let first = now + max(reorderMs, state.trips.min()! / 2)
            for number in state.newest + 1..<number { state.missing[number] = (first, 0) }
            state.newest = number
        }
        // As often as librist looks.
        guard now % 5 == 0 else { return }
        state.missing = state.missing.filter { now - made[$0.key] < bufferMs + 100 && $0.value.times < 20 }
        let due = state.missing.filter { $0.value.at <= now }.keys.sorted()
        guard !due.isEmpty else { return }
        let trip = state.trips.min()!
        for number in due { state.missing[number] = (now + trip * 11 / 10, state.missing[number]!.times + 1) }
        state.requests[now + 30, default: []].append((due, state.trips.firstIndex(of: trip)!))
    }

    private func answer(_ now: Int, _ state: inout State) {
        for (mark, link) in state.echoes.removeValue(forKey: now) ?? [] {
            state.trips[link] = now - Int(mark)
            state.means[link] += state.trips[link] - state.means[link] / 8
            state.judge.answered(mark, over: link, at: instant(now))
        }
        for (numbers, link) in state.requests.removeValue(forKey: now) ?? [] {
            for number in numbers {
                guard !isJudged || state.judge.isDue(UInt16(truncatingIfNeeded: number), at: instant(now)) else {
                    state.outcome.held += 1
                    continue
                }
                state.outcome.sentAgain += 1
                send(number, over: link, at: now, &state)
            }
        }
    }
}
