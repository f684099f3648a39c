import Posix
import Units
import Uplink
import Wire

/// What happened to a broadcast on this board, until control has heard it. Holds no clock and opens nothing.
///
/// Samples make room before events do: what is kept at the end says what went wrong, if not each figure of it.
struct FlightRecorder {
    let broadcast: BroadcastID
    let run: Int64
    private var entries: [FlightEntry] = []
    private var next = 0
    /// The number of the first entry that control has not heard.
    private var untold = 0
    /// The parts that connections took lately, by the number of the first entry; the oldest first.
    private var taken: [(first: Int, at: Instant)] = []
    private var lastState: SendingReport?
    private var lastSampleMs: Int64?
    /// The last link that stopped carrying, and when: the likely cause of a rate cut.
    private var lastLoss: (link: String, atMs: Int64)?

    /// Some hours of samples and of anything but a storm of events.
    static let limit = 2000
    static let sampleEveryMs: Int64 = 5000
    private static let partLimit = 12
    private static let causeMs: Int64 = 2000
    /// What a connection took so long before its end has arrived, and control has written it down: one that does not answer is
    /// given up within seconds.
    static let settleTime = Duration.seconds(60)

    init(_ broadcast: BroadcastID, run: Int64) {
        self.broadcast = broadcast
        self.run = run
    }

    mutating func note(_ report: SendingReport, atMs: Int64) {
        guard report.state != lastState?.state || report.reason != lastState?.reason else { return }
        lastState = report
        add(.sending, atMs, reason: report.reason.map { "\(report.state.rawValue): \($0)" } ?? report.state.rawValue)
    }

    mutating func note(_ event: UplinkEvent, atMs: Int64) {
        switch event {
        case .live(let link, let receiver): add(.linkLive, atMs, link, reason: "to \(receiver)")
        case .silent(let link, let reason):
            lastLoss = (link, atMs)
            add(.linkSilent, atMs, link, reason: reason)
        case .unreachable(let link, let reason): add(.linkUnreachable, atMs, link, reason: reason)
        case .removed(let link):
            lastLoss = (link, atMs)
            add(.linkRemoved, atMs, link)
        case .rateCut(let old, let new): add(.rateCut, atMs, reason: "\(old.kilobits) to \(new.kilobits) kbit/s: \(cause(atMs))")
        case .unheard(let silence): add(.receiverUnheard, atMs, reason: "no report for \(silence.milliseconds) ms over any link")
        case .heard: add(.receiverHeard, atMs)
        case .clockChanged: add(.clockChanged, atMs, reason: "the receiver's clock is another one, or this board's was set")
        }
    }

    mutating func note(_ usage: UsageTelemetry, atMs: Int64) {
        switch usage.state {
        case .within: add(.dataWithin, atMs, usage.link, reason: usage.words)
        case .near: add(.dataNear, atMs, usage.link, reason: usage.words)
        case .spent: add(.dataSpent, atMs, usage.link, reason: "\(usage.words): it is the last resort from here on")
        }
    }

    private func cause(_ atMs: Int64) -> String {
        guard let lastLoss, atMs - lastLoss.atMs <= Self.causeMs else { return "the links carry less, or packets wait in them" }
        return "\(lastLoss.link) stopped carrying"
    }

    mutating func note(_ sample: @autoclosure () -> FlightSample, atMs: Int64) {
        if let last = lastSampleMs, atMs - last < Self.sampleEveryMs, atMs >= last { return }
        lastSampleMs = atMs
        add(.sample, atMs, sample: sample())
    }

    private mutating func add(
        _ kind: FlightEntry.Kind, _ atMs: Int64, _ link: String? = nil, reason: String? = nil, sample: FlightSample? = nil
    ) {
        if entries.count >= Self.limit { entries.remove(at: entries.firstIndex { $0.kind == .sample } ?? 0) }
        entries.append(FlightEntry(number: next, atMs: atMs, kind: kind, link: link, reason: reason?.bounded(), sample: sample))
        next += 1
    }

    /// The connection has ended: what it took last may not have arrived.
    mutating func lost(at now: Instant) {
        if let first = taken.first(where: { now - $0.at <= Self.settleTime })?.first { untold = min(untold, first) }
        taken = []
    }

    var hasUntold: Bool { untold < next }

    /// The next of what was not told yet: some events or one sample, no larger than figures are, as the narrowest modem has to carry it.
    func untoldPart() -> FlightLog? {
        var part: [FlightEntry] = []
        for entry in entries.drop(while: { $0.number < untold }).prefix(Self.partLimit) {
            if entry.sample != nil, !part.isEmpty { break }
            part.append(entry)
            if entry.sample != nil { break }
        }
        return part.isEmpty ? nil : FlightLog(broadcast: broadcast, run: run, entries: part)
    }

    /// A connection took it.
    mutating func told(_ log: FlightLog, at now: Instant) {
        guard log.broadcast == broadcast, log.run == run, let first = log.entries.first, let last = log.entries.last else { return }
        // A late word of a connection that has ended says nothing of what is told again.
        guard entries.first(where: { $0.number >= untold })?.number == first.number else { return }
        untold = last.number + 1
        taken.removeAll { now - $0.at > Self.settleTime }
        taken.append((first.number, now))
    }
}
