import Crypto
import FoundationEssentials
import Releases
import Wire

/// What the updater remembers from one run to the next, and of the one that is open. It lies in a file of root's, as JSON: people read it
/// when all else fails.
struct UpgradeState: Codable, Equatable, Sendable {
    /// The newest release that was seen: see `ReleaseMark`. In hex.
    struct Seen: Codable, Equatable, Sendable {
        let sequence: Int64
        let digest: String
        let signer: String
    }

    /// A way from one state of the server to another. It ends settled, or taken back.
    struct Run: Codable, Equatable, Sendable {
        enum Kind: String, Codable, Sendable { case install, back, restore }

        let kind: Kind
        /// What is to run at its end.
        let target: String
        /// What ran when it began.
        let from: String
        /// SHA-256 of the manifest, in hex; of an installation.
        var release: String?
        /// The copy that is restored; of a restoration.
        var copy: String?
        /// Unix milliseconds.
        let startedAt: Int64
        /// How often it was taken up: once where nothing came between.
        var attempts = 0
        /// Why it is taken back; nil while it goes forwards.
        var reason: String?

        /// What the copy of the database is called that is made before anything is changed.
        var safetyCopy: String { "\(ServerOrder.copyPrefix)update.\(startedAt)" }
    }

    private(set) var format = 1
    private(set) var seen: Seen?
    /// Releases that were tried here and did not work, in hex.
    private(set) var failed: [String] = []
    /// The version in the slot that does not run, where that is whole.
    var previous: String?
    /// The id of the last order that was taken up, in hex.
    var order: String?
    /// Why that one was not begun.
    var refusal: String?
    private(set) var history: [ServerUpdateReport.Entry] = []
    var run: Run?

    private static let failedLimit = 8
    private static let reasonLimit = 1000

    /// As much of a reason as is kept: it may be a tool's whole output.
    static func clipped(_ reason: String) -> String { String(reason.prefix(reasonLimit)) }

    var mark: ReleaseMark? {
        guard let seen, let digest = Hex.decode(seen.digest), let signer = Hex.decode(seen.signer) else { return nil }
        return ReleaseMark(sequence: seen.sequence, digest: digest, signer: signer)
    }

    var failedDigests: [[UInt8]] { failed.compactMap { Hex.decode($0) } }

    mutating func see(_ mark: ReleaseMark) {
        seen = Seen(sequence: mark.sequence, digest: Hex.encode(mark.digest), signer: Hex.encode(mark.signer))
    }

    /// Ends the run that is open, and writes down what became of it.
    mutating func settle(_ result: ServerUpdateReport.Result, reason: String?, at time: String) {
        guard let run else { return }
        if result == .failed, let release = run.release {
            failed = [release] + failed.filter { $0 != release }.prefix(Self.failedLimit - 1)
        }
        if result == .installed { failed.removeAll { $0 == run.release } }
        note(ServerUpdateReport.Entry(version: run.target, from: run.from, at: time, result: result, reason: reason))
        self.run = nil
    }

    /// Writes down what became of a run; of one that is stuck, and tried again and again, once.
    mutating func note(_ entry: ServerUpdateReport.Entry) {
        var entry = entry
        entry.reason = entry.reason.map(Self.clipped)
        let isSaid = history.first.map { $0.result == entry.result && $0.version == entry.version && $0.reason == entry.reason } ?? false
        if entry.result == .stuck, isSaid { return }
        history = [entry] + history.prefix(ServerUpdateReport.historyLimit - 1)
    }
}

/// The file of the state.
struct UpgradeMemory: Sendable {
    let path: String

    private static let limit = 1 << 20

    /// - Throws: also for what is no state: to begin anew would forget the newest release that was seen.
    func load() throws -> UpgradeState {
        guard let bytes = try KeptFile.read(path, upTo: Self.limit) else { return UpgradeState() }
        do {
            return try JSONDecoder().decode(UpgradeState.self, from: Data(bytes))
        } catch {
            throw UpgradeFault("\(path) cannot be read, and nothing was changed: \(error)")
        }
    }

    func save(_ state: UpgradeState) throws { try KeptFile.write(try Self.json(state), to: path) }

    static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }
}
