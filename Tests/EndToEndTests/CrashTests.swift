import Foundation
import Posix
import Support
import Testing
import Web
import Wire

/// Control is killed while people, boards and pages are at work.
@Suite(.serialized, .unlessStolen)
struct CrashTests {
    /// `ci/nightly` asks for a hundred.
    private static let kills = ProcessInfo.processInfo.environment["STRATA_KILLS"].flatMap { Int($0) } ?? 5

    @Test(
        "killed at random moments under load, control has all that it had acknowledged when it is back, each thing whole, and says what it found"
    )
    func kills() async throws {
        try await atFrontDesk({ settings in
            settings.requestsPerMinute = 1_000_000
            settings.quotas["destinations"] = 1_000_000
        }) { desk in
            let crew = try await Crew(at: desk)
            var starts: [Duration] = []
            for _ in 0..<Self.kills {
                let moment = Duration.milliseconds(Int.random(in: 20...500))
                try await crew.work(until: moment)
                starts.append(try await start(desk))
                let faults = try await crew.faults()
                #expect(faults.isEmpty, "killed after \(moment): \(faults)")
            }
            measured("\(Self.kills) kills, the slowest start after one", starts.max())
            let acknowledged = await crew.acknowledged
            measured("changes that were acknowledged before them", "\(acknowledged)")
            #expect(acknowledged >= Self.kills, "nobody had anything to lose")
            #expect(try await sqlite(desk, "PRAGMA integrity_check") == "ok")
            #expect(try await sqlite(desk, "PRAGMA foreign_key_check") == "")
        }
    }

    /// - Returns: how long it took.
    private func start(_ desk: FrontDesk) async throws -> Duration {
        let began = Instant.now
        let control = try await desk.installation.startControl()
        let took = Instant.now - began
        try await control.line(containing: "the last run did not close its database", within: .seconds(1))
        try await control.line(containing: "the database was checked and is whole", within: .seconds(20))
        return took
    }
}

/// Whoever is at work, and what each knows of what was acknowledged.
private struct Crew: Sendable {
    private let desk: FrontDesk
    private let owner: Visitor
    private let destinations: [DestinationWriter]
    private let configurations: ConfigurationWriter
    private let session: Visitor
    private let boards: [RawBoard]

    init(at desk: FrontDesk) async throws {
        self.desk = desk
        let owner = try await desk.owner()
        self.owner = owner
        destinations = (0..<3).map { DestinationWriter(number: $0, owner: owner) }
        configurations = ConfigurationWriter(sender: try await desk.board(of: owner, name: "absent").identity.device.text, owner: owner)
        session = try await desk.stranger("refreshing")
        boards = [try await desk.board(of: owner, name: "truck"), try await desk.board(of: owner, name: "van")]
    }

    var acknowledged: Int {
        get async {
            var count = await configurations.acknowledged
            for writer in destinations { count += await writer.acknowledged }
            return count
        }
    }

    /// All work until control is killed at a moment.
    func work(until moment: Duration) async throws {
        // A hundred kills may take longer than an access token is good.
        let answer = try await owner.refresh()
        guard answer.status == 200 else { throw SupportFailure("the owner's refresh: \(answer)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in destinations { group.addTask { try await writer.work() } }
            group.addTask { try await configurations.work() }
            group.addTask { try await refresh() }
            // try?: these are load alone; their connections end with control.
            for board in boards { group.addTask { _ = try? await talk(board) } }
            group.addTask { _ = try? await watch() }
            try await Task.sleep(for: moment)
            try await desk.installation.program("control").kill9()
            try await group.waitForAll()
        }
    }

    /// What was acknowledged and is not there, or is there by half.
    func faults() async throws -> [String] {
        let names = try await owner.get("/destinations").items().compactMap { $0["name"] as? String }
        let counts = Dictionary(names.map { ($0, 1) }) { $0 + $1 }
        var faults = try await configurations.faults()
        for writer in destinations { faults += await writer.faults(in: counts) }
        let answer = try await session.refresh()
        if answer.status != 200 { faults.append("a session whose refresh was acknowledged: \(answer)") }
        // Each change and its line in the audit log are one.
        let halves = try await sqlite(
            desk,
            """
            SELECT count(*) FROM (
                SELECT destinations.id FROM destinations LEFT JOIN audit ON audit.subject = destinations.id GROUP BY destinations.id
                HAVING coalesce(sum(audit.action = 'destination.created'), 0) <> 1
                    OR coalesce(sum(audit.action = 'destination.removed'), 0) <> (destinations.removed_at IS NOT NULL))
            """)
        if halves != "0" { faults.append("\(halves) destinations and the audit log disagree") }
        return faults
    }

    /// Uses up one refresh token after the other. An answer that was lost costs nothing for 10 s.
    private func refresh() async throws {
        try await untilNoAnswer {
            let answer = try await session.refresh()
            guard answer.status == 200 else { throw SupportFailure("a refresh: \(answer)") }
            try await Task.sleep(for: .milliseconds(30))
        }
    }

    private func talk(_ board: RawBoard) async throws {
        let socket = try await board.connect()
        while true {
            try await socket.send(AgentMessage.telemetry(AgentTelemetry(atMs: unixMilliseconds(), links: [], pipeline: nil)))
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func watch() async throws {
        let socket = try await owner.watch()
        while try await socket.receive() != nil {}
    }
}

/// Does a thing again and again until control does not answer any more.
private func untilNoAnswer(isolation: isolated (any Actor)? = #isolation, _ act: () async throws -> Void) async throws {
    while true {
        do {
            try await act()
        } catch is ClientError {
            return
        }
    }
}

/// Adds destinations and removes two of three of them.
private actor DestinationWriter {
    private let number: Int
    private let owner: Visitor
    private var count = 0
    private(set) var acknowledged = 0
    private var fates: [String: Fate] = [:]

    private enum Fate {
        case there, gone
        /// It was asked for, and there was no answer.
        case unknown
    }

    init(number: Int, owner: Visitor) {
        self.number = number
        self.owner = owner
    }

    func work() async throws { try await untilNoAnswer { try await change() } }

    private func change() async throws {
        count += 1
        let name = "writer \(number), destination \(count)"
        fates[name] = .unknown
        let made = try await owner.post("/destinations", #"{"name":"\#(name)","preset":"twitch","secret":"k"}"#)
        guard made.status == 201 else { throw SupportFailure("adding \(name): \(made)") }
        fates[name] = .there
        acknowledged += 1
        guard !count.isMultiple(of: 3) else { return }
        fates[name] = .unknown
        let removed = try await owner.send("DELETE", "/destinations/\(try made.text("id"))")
        guard removed.status == 204 else { throw SupportFailure("removing \(name): \(removed)") }
        fates[name] = .gone
        acknowledged += 1
    }

    /// - Parameter counts: how often control has each name. What had no answer is known from here on.
    func faults(in counts: [String: Int]) -> [String] {
        var faults: [String] = []
        for (name, fate) in fates {
            let times = counts[name] ?? 0
            switch fate {
            case .there where times != 1: faults.append("\(name) was acknowledged and is there \(times) times")
            case .gone where times != 0: faults.append("\(name) was removed and is there")
            case .unknown where times > 1: faults.append("\(name) is there \(times) times")
            case .there, .gone, .unknown: break
            }
            fates[name] = times > 0 ? .there : .gone
        }
        return faults
    }
}

/// Gives a board that is not connected one configuration after the other.
private actor ConfigurationWriter {
    private let sender: String
    private let owner: Visitor
    private var last: (version: Int, toml: String)?
    private(set) var acknowledged = 0
    private var count = 0

    init(sender: String, owner: Visitor) {
        self.sender = sender
        self.owner = owner
    }

    func work() async throws { try await untilNoAnswer { try await change() } }

    private func change() async throws {
        count += 1
        let toml = "[video]\nbitrate_kbit = \(1000 + count % 3000)\n"
        let body = String(decoding: try JSONEncoder().encode(["toml": toml]), as: UTF8.self)
        let answer = try await owner.send("PUT", "/senders/\(sender)/configuration", body)
        guard answer.status == 200, let version = try answer.object()["version"] as? Int else {
            throw SupportFailure("a configuration: \(answer)")
        }
        last = (version, toml)
        acknowledged += 1
    }

    func faults() async throws -> [String] {
        guard let last else { return [] }
        let kept = try await owner.get("/senders/\(sender)/configurations").items().first { $0["version"] as? Int == last.version }
        return kept?["toml"] as? String == last.toml ? [] : ["configuration \(last.version) was acknowledged and is not there"]
    }
}
