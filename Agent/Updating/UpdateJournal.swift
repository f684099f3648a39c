import Crypto
package import Releases
import Units

/// What the updater remembers on disk: which slot has which version, and where a step was when the power went.
///
/// Written as a whole, beside the old one and renamed. The order of the phases, and what each promises:
///
/// | phase | the link points to | promise |
/// | --- | --- | --- |
/// | idle | active | active works |
/// | clearing, fetching, staged | active | active works; the other slot is being written |
/// | switching | active or other | both are whole |
/// | proving | other, or active where going back has begun | active works, other is whole |
/// | reverting | other or active | active works |
/// | returning | active or other | both have worked |
package struct UpdateJournal: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        case idle
        /// What the other slot had goes.
        case clearing
        case fetching
        /// All files are there and were right.
        case staged
        case switching
        /// - Parameter start: counts the updater's starts in this phase, from 1.
        case proving(start: Int)
        /// Back from what did not work.
        case reverting
        /// Back to the version before, because a person wants it.
        case returning
    }

    /// What is being installed.
    package struct Offer: Hashable, Sendable {
        package let manifest: ReleaseManifest
        package let urgency: Urgency

        /// SHA-256 of the manifest.
        package var digest: [UInt8] { SHA256.hash(manifest.bytes) }
    }

    package private(set) var active: Slot
    /// In the active slot.
    package private(set) var installed: ReleaseVersion
    /// SHA-256 of the active slot's manifest; nil for what came with the installation.
    package private(set) var release: [UInt8]?
    /// What the other slot has, whole and once at work.
    package private(set) var previous: ReleaseVersion?
    package private(set) var seen: ReleaseMark?
    /// SHA-256 of the manifests that did not work here, the last eight.
    package private(set) var failed: [[UInt8]]
    /// How the last update ended, for people.
    package private(set) var last: String?
    package private(set) var phase: Phase
    /// From clearing to proving and reverting.
    package private(set) var offer: Offer?
    package private(set) var baseline: Baseline

    static let failedLimit = 8
    static let lastBytes = 300

    /// Of a board that was just installed.
    package init(active: Slot, installed: ReleaseVersion) {
        self.active = active
        self.installed = installed
        failed = []
        phase = .idle
        baseline = Baseline()
    }

    // MARK: What follows

    func accepting(_ offer: Offer, _ mark: ReleaseMark) -> UpdateJournal {
        var next = self
        (next.offer, next.seen, next.phase) = (offer, mark, .clearing)
        next.previous = nil
        return next
    }

    func entering(_ phase: Phase) -> UpdateJournal {
        var next = self
        next.phase = phase
        return next
    }

    func switching(keeping baseline: Baseline) -> UpdateJournal {
        var next = entering(.switching)
        next.baseline = baseline
        return next
    }

    /// The new version works.
    func committed() -> UpdateJournal {
        guard let offer else { return ended("there was nothing to keep") }
        var next = ended("installed \(offer.manifest.version)")
        (next.active, next.previous) = (active.other, installed)
        (next.installed, next.release) = (offer.manifest.version, offer.digest)
        next.failed.removeAll { $0 == offer.digest }
        return next
    }

    /// - Parameter reason: for people.
    func reverting(_ reason: String) -> UpdateJournal {
        var next = entering(.reverting)
        next.last = Self.line("went back from \(offer.map { "\($0.manifest.version)" } ?? "another version"): \(reason)")
        return next
    }

    /// The active version stays, and the one that was tried is not tried again by itself.
    func reverted() -> UpdateJournal {
        var next = ended(last ?? "went back")
        next.remember(failed: offer?.digest)
        return next
    }

    /// The version before is at work again, and the one that was left is not installed again by itself.
    func returned() -> UpdateJournal {
        guard let previous else { return ended("there was no version before") }
        var next = ended("went back from \(installed) to \(previous), as was wanted")
        next.remember(failed: release)
        (next.active, next.installed, next.release, next.previous) = (active.other, previous, nil, nil)
        return next
    }

    /// Nothing was switched.
    func ended(_ last: String) -> UpdateJournal {
        var next = entering(.idle)
        (next.offer, next.baseline) = (nil, Baseline())
        next.last = Self.line(last)
        return next
    }

    private mutating func remember(failed digest: [UInt8]?) {
        guard let digest else { return }
        failed = Array((failed.filter { $0 != digest } + [digest]).suffix(Self.failedLimit))
    }

    /// Reasons come from the system and from the agent.
    private static func line(_ text: String) -> String {
        let plain = text.escaped()
        guard plain.utf8.count > lastBytes else { return plain }
        // A character that was cut in two is left out.
        return String(decoding: plain.utf8.prefix(lastBytes), as: UTF8.self).filter { $0 != "\u{FFFD}" }
    }
}

// MARK: On disk

extension UpdateJournal {
    private static let header = "strata update journal 1"
    private static let headLimit = 32_768
    package static let byteLimit = headLimit + ReleaseManifest.byteLimit

    package var bytes: [UInt8] { head + [0x0A] + (offer?.manifest.bytes ?? []) }

    private var head: [UInt8] {
        var lines = [Self.header, "active \(active.rawValue)", "installed \(installed)"]
        if let release { lines.append("release \(Hex.encode(release))") }
        if let previous { lines.append("previous \(previous)") }
        if let seen { lines.append("seen \(seen.sequence) \(Hex.encode(seen.digest)) \(Hex.encode(seen.signer))") }
        lines += failed.map { "failed \(Hex.encode($0))" }
        if let last { lines.append("last \(last)") }
        lines.append("phase \(phase.text)")
        if let offer { lines.append("urgency \(offer.urgency.rawValue)") }
        lines += baseline.inputs.map { "input \($0)" }
        lines += baseline.links.map { "link \($0)" }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// Reads what `bytes` writes, and nothing else.
    package init(bytes: [UInt8]) throws(ReleaseFault) {
        guard let end = Self.emptyLine(bytes) else { throw .malformed(line: 0, "a journal without its empty line") }
        var reader = try LineReader(Array(bytes[..<end]), upTo: Self.headLimit, first: Self.header)
        guard let active = Slot(rawValue: try reader.value("active")), let installed = ReleaseVersion(try reader.value("installed")) else {
            throw reader.fault("a slot and a version expected")
        }
        self.init(active: active, installed: installed)
        if let text = reader.optional("release") { release = try Self.digest(text) }
        if let text = reader.optional("previous") {
            guard let version = ReleaseVersion(text) else { throw reader.fault("a version expected") }
            previous = version
        }
        if let text = reader.optional("seen") { seen = try Self.mark(text) }
        for text in try reader.all("failed", atMost: Self.failedLimit) { failed.append(try Self.digest(text)) }
        last = reader.optional("last")
        guard let phase = Phase(text: try reader.value("phase")) else { throw reader.fault("a phase expected") }
        self.phase = phase
        let wish = reader.optional("urgency")
        baseline = Baseline(inputs: try reader.all("input", atMost: 32), links: try reader.all("link", atMost: 32))
        if let wish {
            guard let urgency = Urgency(rawValue: wish) else { throw reader.fault("an urgency expected") }
            offer = Offer(manifest: try ReleaseManifest(bytes: Array(bytes[(end + 1)...])), urgency: urgency)
        }
        guard (offer != nil) == phase.hasOffer else { throw .malformed(line: 0, "a release is there in its phases, and in no other") }
        guard self.bytes == bytes else { throw .malformed(line: 0, "not in the one form that a journal has") }
    }

    private static func emptyLine(_ bytes: [UInt8]) -> Int? {
        var last: UInt8 = 0
        for (index, byte) in bytes.prefix(headLimit).enumerated() {
            if byte == 0x0A, last == 0x0A { return index }
            last = byte
        }
        return nil
    }

    private static func digest(_ text: String) throws(ReleaseFault) -> [UInt8] {
        guard let digest = Hex.decode(text), digest.count == 32 else { throw .malformed(line: 0, "64 hexadecimal digits expected") }
        return digest
    }

    private static func mark(_ text: String) throws(ReleaseFault) -> ReleaseMark {
        let fields = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 3, let sequence = LineReader.number(fields[0], upTo: ReleaseManifest.sequenceLimit) else {
            throw .malformed(line: 0, "'seen SEQUENCE DIGEST KEY' expected")
        }
        return ReleaseMark(sequence: sequence, digest: try digest(fields[1]), signer: try digest(fields[2]))
    }
}

extension UpdateJournal.Phase {
    /// Whether a release is under way in it.
    var hasOffer: Bool { self != .idle && self != .returning }

    /// As the journal has it.
    package var text: String {
        switch self {
        case .idle: "idle"
        case .clearing: "clearing"
        case .fetching: "fetching"
        case .staged: "staged"
        case .switching: "switching"
        case .proving(let start): "proving \(start)"
        case .reverting: "reverting"
        case .returning: "returning"
        }
    }

    fileprivate init?(text: String) {
        switch text {
        case "idle": self = .idle
        case "clearing": self = .clearing
        case "fetching": self = .fetching
        case "staged": self = .staged
        case "switching": self = .switching
        case "reverting": self = .reverting
        case "returning": self = .returning
        default:
            guard text.hasPrefix("proving "), let start = Int(text.dropFirst(8)), (1...9).contains(start) else { return nil }
            self = .proving(start: start)
        }
    }
}
