import Configuration
import Links
import Logging
import Posix
import Sticks
import Usage
import Wire

/// What the links have carried in their billing cycles, and what follows from it. On the session's loop.
struct UsageDesk {
    private var book: UsageBook
    private let file: UsageFile
    private let timeFloor: Int
    private let log: Log
    private var told: (figures: [UsageTelemetry], at: Instant)?

    /// Between two samples with the same words.
    private static let tellEvery = Duration.milliseconds(29_000)

    /// - Parameter timeFloor: a clock that shows less, in Unix seconds, is not set.
    init(stateFolder: String, timeFloor: Int, log: Log) throws {
        file = try UsageFile(stateFolder: stateFolder, log: log)
        book = UsageBook(file.read(), boot: UsageFile.boot, at: .now)
        self.timeFloor = timeFloor
        self.log = log
    }

    var figures: [UsageTelemetry] { book.figures }

    /// Takes the kernel's counters.
    /// - Parameters:
    ///   - sims: numbers of the SIM cards, by their links.
    ///   - own: what the board's own talk with sticks has carried, by the interfaces' indices.
    /// - Returns: the links whose state changed.
    mutating func count(
        _ watcher: LinkWatcher, _ sims: [String: String], _ own: [Int: OwnTraffic], _ rules: [String: LinkRule]
    ) -> [UsageTelemetry] {
        let (indices, kinds) = (watcher.indices, Dictionary(watcher.links.map { ($0.name, $0.kind) }) { $1 })
        let readings = watcher.counters.compactMap { counted in
            indices[counted.name].map { index in
                LinkReading(
                    index: index, name: counted.name, isCellular: kinds[counted.name] == .cellular, sentBytes: counted.sentBytes,
                    receivedBytes: counted.receivedBytes, ownSentBytes: own[index]?.sentBytes ?? 0,
                    ownReceivedBytes: own[index]?.receivedBytes ?? 0)
            }
        }
        let seconds = unixMilliseconds() / 1000
        let changes = book.count(
            readings, sims: sims, plans: rules.mapValues(\.data), unixSeconds: seconds >= timeFloor ? seconds : nil, at: .now)
        for change in changes {
            log.notice(
                "a link's data plan", ["link": .text(change.link), "state": .text(change.state.rawValue), "words": .text(change.words)])
        }
        if let due = book.due(at: .now) { file.write(due) }
        return changes
    }

    /// The owner's rules, where a link whose plan is used up is the last resort.
    func applied(to rules: [String: LinkRule]) -> [String: LinkRule] {
        var rules = rules
        for spent in book.figures where spent.state == .spent { rules[spent.link, default: LinkRule()].cost = .lastResort }
        return rules
    }

    /// For a sample: every half minute, and at once where a state has changed or this connection has heard nothing.
    mutating func next() -> [UsageTelemetry]? {
        let (figures, now) = (book.figures, Instant.now)
        if let told {
            let isSame = told.figures.map(\.link) == figures.map(\.link) && told.figures.map(\.state) == figures.map(\.state)
            guard !isSame || now - told.at >= Self.tellEvery else { return nil }
        } else if figures.isEmpty {
            return nil
        }
        told = (figures, now)
        return figures
    }

    mutating func tellAgain() { told = nil }

    func close() { file.close(book.all) }
}

extension UsageTelemetry {
    /// For a person: `8231 of 10240 MiB since 2026-11-15`.
    var words: String {
        let used = (sentBytes + receivedBytes) >> 20
        return "\(used)\(capBytes.map { " of \($0 >> 20)" } ?? "") MiB\(since.map { " since \($0)" } ?? "")"
    }
}
