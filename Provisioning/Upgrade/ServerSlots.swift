import Crypto
import Glibc
package import Posix
package import Releases
package import Site

/// The two places that versions of the server lie in:
///
///     /usr/lib/strata/current -> slots/a      what /usr/bin/strata-control and so on lead to
///     /usr/lib/strata/other -> slots/b
///     /usr/lib/strata/slots/a/.release        the manifest
///     /usr/lib/strata/slots/a/bin/strata-control, …/dashboard/index.html, …/systemd/strata-control.service
///
/// The two links change places, which is one atomic step and takes no room on a full disk. What the link leads to is never written.
package struct ServerSlots: Sendable {
    package enum Slot: String, CaseIterable, Sendable {
        case a, b

        package var other: Slot { self == .a ? .b : .a }
    }

    let machine: HostMachine
    let kind: MachineClass

    static let chunkBytes = 1 << 18
    private static let manifestName = ".release"

    /// - Parameter kind: what files of a release are for this machine.
    package init(_ machine: HostMachine, kind: MachineClass) {
        self.machine = machine
        self.kind = kind
    }

    /// What the link leads to; nil where the server has never updated itself.
    package func linked() throws(SystemError) -> Slot? {
        guard case .link(let target)? = try FileTree.look(current) else { return nil }
        return Slot.allCases.first { target == Self.target($0) }
    }

    /// What lies in a slot, as its manifest says; nil where there is none that can be read.
    package func manifest(in slot: Slot) throws(SystemError) -> ReleaseManifest? {
        let path = "\(folder(slot))/\(Self.manifestName)"
        guard case .file(let bytes, _)? = try FileTree.look(path), bytes <= ReleaseManifest.byteLimit else { return nil }
        let text = try FileTree.read(path, 0..<bytes)
        // try?: what cannot be read is none.
        return try? ReleaseManifest(bytes: text)
    }

    /// Whether each file of a slot is as its manifest says.
    ///
    /// - Parameter release: the SHA-256 that the manifest has to have; nil: any.
    package func isWhole(_ slot: Slot, release: [UInt8]? = nil) throws(SystemError) -> Bool {
        guard let manifest = try manifest(in: slot), release == nil || SHA256.hash(manifest.bytes) == release else { return false }
        let files = manifest.files(of: .server, for: kind)
        for file in files {
            guard try isRight(file, at: "\(folder(slot))/\(file.path)") else { return false }
        }
        return !files.isEmpty
    }

    // MARK: Changing

    /// - Throws: EBUSY for the slot that the link leads to, whatever is asked.
    func clear(_ slot: Slot) throws {
        guard try linked() != slot else { throw SystemError("clear", EBUSY, on: folder(slot)) }
        try Folder.make("\(root)/slots")
        try FileTree.remove(folder(slot))
        try FileTree.makeFolder(folder(slot))
        try FileTree.sync("\(root)/slots")
    }

    /// Has a slot hold a release: each file is taken from the shelf by its digest, and held against what was signed as it is copied.
    ///
    /// - Parameter shelf: a folder of control's, who is not believed.
    func stage(_ manifest: ReleaseManifest, from shelf: String, into slot: Slot) throws {
        try clear(slot)
        for file in manifest.files(of: .server, for: kind) {
            let path = "\(folder(slot))/\(file.path)"
            try Folder.make(UnixSocket.folder(of: path))
            let (size, digest) = try copy("\(shelf)/\(Hex.encode(file.digest))", to: path, upTo: file.size)
            guard size == file.size, digest == file.digest else {
                throw UpgradeFault("'\(file.path)' on the shelf is not what was signed")
            }
            try finish(file, at: path, releasedAt: manifest.released)
        }
        try seal(slot, manifest)
    }

    /// Has the link lead to a slot.
    func point(_ slot: Slot) throws(SystemError) {
        if try linked() != slot { try FileTree.exchange(current, standby) }
        try FileTree.sync(root)
        guard try linked() == slot else { throw SystemError("readlink", EINVAL, on: current) }
    }

    /// Takes away all that `server install` has not made, with the links that led there.
    package func erase() throws {
        guard try FileTree.look(current) != nil || FileTree.look("\(root)/slots") != nil else { return }
        for path in [machine.place(SitePaths.dashboard), current, standby, "\(root)/slots", machine.place(UpgradePaths.reportFolder)] {
            // The dashboard's folder itself is the installation's.
            if path == machine.place(SitePaths.dashboard), try FileTree.look(path) == .folder { continue }
            try FileTree.remove(path)
        }
        // What something else lies in stays.
        for path in [UnixSocket.folder(of: machine.place(SitePaths.dashboard)), root] { rmdir(path) }
    }

    // MARK: Units

    /// Whether the units that systemd reads are those of a slot.
    func hasUnits(of slot: Slot) throws -> Bool {
        for name in SiteSource.units {
            let wanted = try KeptFile.read("\(folder(slot))/systemd/\(name)", upTo: Self.unitBytes)
            if let wanted, try KeptFile.read(unit(name), upTo: Self.unitBytes) != wanted { return false }
        }
        return true
    }

    /// Puts a slot's units where systemd reads them; what the other slot has beyond them goes.
    func putUnits(of slot: Slot) throws {
        for name in SiteSource.units {
            if let wanted = try KeptFile.read("\(folder(slot))/systemd/\(name)", upTo: Self.unitBytes) {
                if try KeptFile.read(unit(name), upTo: Self.unitBytes) != wanted { try KeptFile.write(wanted, to: unit(name), mode: 0o644) }
            } else if try FileTree.look("\(folder(slot.other))/systemd/\(name)") != nil {
                try FileTree.remove(unit(name))
            }
        }
    }

    static let unitBytes = 1 << 16
    func unit(_ name: String) -> String { machine.place("\(SitePaths.units)/\(name)") }

    // MARK: Parts

    /// - Returns: what was copied; `path` is there afterwards, and on no disk for certain.
    func copy(_ source: String, to path: String, upTo limit: Int) throws(SystemError) -> (size: Int, digest: [UInt8]) {
        try FileTree.remove(path)
        try FileTree.append([], to: path)
        var digest = SHA256Digest()
        var size = 0
        while true {
            let bytes = try FileTree.read(source, size..<size + Self.chunkBytes)
            if bytes.isEmpty { break }
            size += bytes.count
            guard size <= limit else { throw SystemError("read", EFBIG, on: source) }
            try FileTree.append(bytes, to: path)
            digest.add(bytes)
        }
        return (size, digest.finished())
    }

    /// Programs are as old as their release, as those of a package are.
    func finish(_ file: ReleaseFile, at path: String, releasedAt released: Int64) throws(SystemError) {
        try FileTree.setMode(Self.mode(file), of: path)
        try FileTree.setTime(released, of: path)
        try FileTree.sync(path)
        try FileTree.sync(UnixSocket.folder(of: path))
    }

    func seal(_ slot: Slot, _ manifest: ReleaseManifest) throws(SystemError) {
        try KeptFile.write(manifest.bytes, to: "\(folder(slot))/\(Self.manifestName)", mode: 0o644)
    }

    private func isRight(_ file: ReleaseFile, at path: String) throws(SystemError) -> Bool {
        guard try FileTree.look(path) == .file(bytes: file.size, mode: Self.mode(file)) else { return false }
        var digest = SHA256Digest()
        var offset = 0
        while offset <= file.size {
            let bytes = try FileTree.read(path, offset..<offset + Self.chunkBytes)
            if bytes.isEmpty { break }
            offset += bytes.count
            digest.add(bytes)
        }
        return digest.finished() == file.digest
    }

    static func mode(_ file: ReleaseFile) -> UInt32 { file.isExecutable ? 0o755 : 0o644 }
    static func target(_ slot: Slot) -> String { "slots/\(slot.rawValue)" }

    var root: String { machine.place(SitePaths.versions) }
    var current: String { machine.place(SitePaths.currentVersion) }
    var standby: String { "\(root)/other" }
    func folder(_ slot: Slot) -> String { "\(root)/slots/\(slot.rawValue)" }
}
