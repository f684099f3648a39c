import Crypto
import Identity
import Posix
import TLS
import Units
import Web

/// The program `LoadMain`: what it is told line by line, and what it answers, each one line of JSON.
///
///     identities 2000       [{"device": "01K…", "seed": "…", "publicKey": "…"}]   new ones, for the database of control
///     open FILE             {"boards": 2000, "pages": 200}                        connects all of a plan; they go on by themselves
///     measure SECONDS       {"sent": …, "ageMs": {…}}                             `Tally.Figures` of the samples of that time
///
/// One loop has the boards and another one the pages.
package final class LoadCommand: Sendable {
    private let boards: Loop
    private let pages: Loop
    private let tally = Tally()

    /// Handshakes under way: each costs both sides about a millisecond.
    private static let atOnce = 16
    /// How long a sample may take to be counted at all.
    private static let patience = Duration.seconds(3)

    package init() throws {
        boards = try Loop(name: "boards")
        pages = try Loop(name: "pages")
    }

    /// - Throws: what went wrong, which ends the program.
    package func obey(_ line: String) async throws -> String {
        let words = line.split(separator: " ").map(String.init)
        switch (words.first, words.dropFirst().first) {
        case ("identities", let count?): return try identities(Int(count) ?? 0)
        case ("open", let file?): return try await open(LoadPlan(file: file))
        case ("measure", let seconds?): return try await measure(.seconds(Int(seconds) ?? 1))
        default: throw LoadFault(description: "identities COUNT, open FILE or measure SECONDS, not '\(line)'")
        }
    }

    private struct NewIdentity: Encodable {
        var device: DeviceID
        var seed: String
        var publicKey: String
    }

    private func identities(_ count: Int) throws -> String {
        var random = SystemRandomNumberGenerator()
        let made = try (0..<count).map { _ in
            let key = try Ed25519PrivateKey.generate()
            return NewIdentity(
                device: DeviceID(ULID(unixMs: unixMilliseconds(), random: &random)), seed: Base64URL.encode(key.seed),
                publicKey: Base64URL.encode(key.publicKey))
        }
        return String(decoding: try encoded(made), as: UTF8.self)
    }

    private func open(_ plan: LoadPlan) async throws -> String {
        var options = ClientOptions()
        options.trust = .anchors([try RegularFile(plan.authority, upTo: 1 << 20).bytes])
        // As `ControlLinkTimes` has it.
        options.webSocket.pingInterval = .seconds(1)
        options.webSocket.pongTimeout = .milliseconds(1500)
        let (boardClient, samples) = (Client(loop: boards, options: options), try SampleTexts())
        let origin = try plan.origin.map { try ServerOrigin($0) }
        try await manyAtOnce(plan.boards.count) { [boards, tally] number in
            let board = plan.boards[number]
            let identity = try Self.identity(of: board, origin)
            try await SimulatedBoard(
                number: number, plan: board, identity: identity, client: boardClient, loop: boards, samples: samples, tally: tally
            ).begin(of: plan.boards.count)
        }
        options.webSocket = WebSocketOptions()
        options.deflate = plan.deflate
        let pageClient = Client(loop: pages, options: options)
        try await manyAtOnce(plan.pages.count) { [pages, tally] number in
            try await SimulatedPage(url: plan.pages[number], client: pageClient, loop: pages, tally: tally).begin()
        }
        return #"{"boards":\#(plan.boards.count),"pages":\#(plan.pages.count)}"#
    }

    private static func identity(of board: LoadPlan.Board, _ origin: ServerOrigin?) throws -> DeviceIdentity? {
        guard let device = board.device else { return nil }
        guard let origin, let seed = board.seed.flatMap({ Base64URL.decode($0) }) else {
            throw LoadFault(description: "a board with a device has a seed, and its plan an origin")
        }
        // Only what a proof is made of counts.
        return DeviceIdentity(
            key: try Ed25519PrivateKey(seed: seed), device: device, organization: nil, name: "board", kind: .sender, server: origin,
            authority: .system)
    }

    /// Runs `body` with each number below `count`, a few at a time.
    private func manyAtOnce(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= Self.atOnce { try await group.next() }
                group.addTask { try await body(number) }
            }
            try await group.waitForAll()
        }
    }

    private func measure(_ time: Duration) async throws -> String {
        let start = Instant.now
        tally.begin(start.microseconds..<(start + time).microseconds)
        try await boards.sleep(for: time + Self.patience)
        return String(decoding: try encoded(tally.figures(waited: Self.patience)), as: UTF8.self)
    }
}
