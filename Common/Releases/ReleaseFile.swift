/// What a release is for.
package enum ReleaseProduct: String, CaseIterable, Sendable {
    /// What runs on a board, apart from its updater.
    case agent
    /// The board's updater: never a part of `agent`, so that no step changes both.
    case updater
    /// What runs on the cloud host.
    case server
}

/// How early a machine wants releases. Each follows the channels before its own too.
package enum ReleaseChannel: String, CaseIterable, Sendable, Comparable {
    case stable, beta, edge

    package static func < (left: ReleaseChannel, right: ReleaseChannel) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .stable: 0
        case .beta: 1
        case .edge: 2
        }
    }
}

/// The kind of machine that files are for: `arm64`, `amd64`, or one board's name where it needs its own.
package struct MachineClass: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// nil but for 1 to 32 of a-z, 0-9 and hyphens.
    package init?(_ text: String) {
        let isGood = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-")
        }
        guard (1...32).contains(text.utf8.count), isGood else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// One file of a release. It is fetched by its digest and lies in a slot under its path: there is no archive, and so nothing is unpacked.
package struct ReleaseFile: Hashable, Sendable {
    package let product: ReleaseProduct
    package let machine: MachineClass
    package let isExecutable: Bool
    /// In bytes, at most `sizeLimit`.
    package let size: Int
    /// SHA-256, 32 bytes.
    package let digest: [UInt8]
    /// Below the slot: `strata-agent`, `share/strata/README.md`.
    package let path: String

    package static let sizeLimit = 1 << 30

    /// nil where a field is out of its bounds.
    package init?(product: ReleaseProduct, machine: MachineClass, isExecutable: Bool, size: Int, digest: [UInt8], path: String) {
        guard (0...Self.sizeLimit).contains(size), digest.count == 32, Self.isPath(path) else { return nil }
        self.product = product
        self.machine = machine
        self.isExecutable = isExecutable
        self.size = size
        self.digest = digest
        self.path = path
    }

    /// Up to eight names of letters, digits and `._+-@`, none of which begins with a dot: nothing leads out of the slot, and what the
    /// updater itself keeps in one begins with a dot.
    package static func isPath(_ path: String) -> Bool {
        let names = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return path.utf8.count <= 200 && names.count <= 8 && names.allSatisfy(isName)
    }

    private static func isName(_ name: some Collection<UInt8>) -> Bool {
        (1...64).contains(name.count) && name.first != UInt8(ascii: ".")
            && name.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"):
                    true
                default: false
                }
            }
    }

    /// What the files of a manifest are in the order of: no two have the same.
    var key: [UInt8] { Array("\(product.rawValue) \(machine.text) \(path)".utf8) }

    /// The folders that it lies in, as its manifest names files.
    var folders: [String] {
        let names = path.split(separator: "/")
        return (1..<max(1, names.count)).map { "\(product.rawValue) \(machine.text) \(names[..<$0].joined(separator: "/"))" }
    }
}
