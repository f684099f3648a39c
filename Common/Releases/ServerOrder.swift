import Crypto
import Units

/// What control asks of the server's updater, in a file that control writes and root reads: so it is one of three sentences, in one form.
///
///     strata server order 1
///     id <32 hexadecimal digits>
///     install 1.5.0 <64 hexadecimal digits>
///
/// In place of the last line `back 1.4.0`, or `restore strata.db.before-update.1800000000000`. Nothing in it says what is installed, only
/// when: what may be installed says a signature, what is gone back to is what lies in the other slot, and a copy is named, not handed over.
package struct ServerOrder: Hashable, Sendable {
    package enum Move: Hashable, Sendable {
        /// A release of the shelf, with the SHA-256 of its manifest.
        case install(ReleaseVersion, release: [UInt8])
        /// To the version before, by its name.
        case back(to: ReleaseVersion)
        /// A copy of the database in the place of the database, by its file's name.
        case restore(copy: String)
    }

    /// 16 bytes, others for each order: one that was taken up is not taken up again.
    package let id: [UInt8]
    package let move: Move

    package static let byteLimit = 512
    static let header = "strata server order 1"
    /// What copies of the database are called (`SafetyCopies` of control's store).
    package static let copyPrefix = "strata.db.before-"

    /// nil where a field is out of its bounds.
    package init?(id: [UInt8], move: Move) {
        guard id.count == 16 else { return nil }
        switch move {
        case .install(_, let release): guard release.count == 32 else { return nil }
        case .back: break
        case .restore(let copy): guard Self.isCopy(copy) else { return nil }
        }
        self.id = id
        self.move = move
    }

    /// A name that cannot leave its folder, and is no option of a command.
    package static func isCopy(_ name: String) -> Bool {
        let rest = name.dropFirst(copyPrefix.count).utf8
        return name.hasPrefix(copyPrefix) && (1...64).contains(rest.count)
            && rest.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    package var bytes: [UInt8] {
        let sentence =
            switch move {
            case .install(let version, let release): "install \(version) \(Hex.encode(release))"
            case .back(let version): "back \(version)"
            case .restore(let copy): "restore \(copy)"
            }
        return Array("\(Self.header)\nid \(Hex.encode(id))\n\(sentence)\n".utf8)
    }

    /// Reads what `bytes` writes, and nothing else.
    package init(bytes: [UInt8]) throws(ReleaseFault) {
        var reader = try LineReader(bytes, upTo: Self.byteLimit, first: Self.header)
        guard let id = Hex.decode(try reader.value("id")) else { throw reader.fault("32 hexadecimal digits expected") }
        let move: Move
        if let text = reader.optional("install") {
            let fields = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 2, let version = ReleaseVersion(fields[0]), let release = Hex.decode(fields[1]) else {
                throw reader.fault("'install VERSION SHA256' expected")
            }
            move = .install(version, release: release)
        } else if let text = reader.optional("back") {
            guard let version = ReleaseVersion(text) else { throw reader.fault("'back VERSION' expected") }
            move = .back(to: version)
        } else {
            move = .restore(copy: try reader.value("restore"))
        }
        guard let order = ServerOrder(id: id, move: move) else { throw reader.fault("what no order can be") }
        self = order
        try reader.finish(bytes, written: self.bytes)
    }
}
