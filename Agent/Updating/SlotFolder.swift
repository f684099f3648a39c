import Crypto
import Glibc
package import Posix
package import Releases

/// The slots on a disk, and what carries out the steps that are about them:
///
///     ROOT/journal
///     ROOT/keys.2 …                 lists of keys that have followed those of the installation
///     ROOT/current -> slots/a       what the service starts
///     ROOT/other -> slots/b
///     ROOT/slots/a/.release         the manifest
///     ROOT/slots/a/strata-agent …
///     ROOT/slots/b/.part-<sha256>   what is being fetched
///
/// The two links change places, which is one atomic step and takes no room on a full disk.
package struct SlotFolder: Sendable {
    package let root: String
    private let disk: any SlotDisk
    private let product: ReleaseProduct
    private let machine: MachineClass

    private static let chunkBytes = 1 << 18

    package init(_ root: String, on disk: any SlotDisk, product: ReleaseProduct, machine: MachineClass) {
        self.root = root
        self.disk = disk
        self.product = product
        self.machine = machine
    }

    // MARK: At the start

    /// The journal; nil where there is none.
    ///
    /// - Throws: `ReleaseFault` for one that cannot be read: the link still points to what worked, and the caller begins a new one from
    ///   that.
    package func journal() throws -> UpdateJournal? {
        guard case .file(let bytes, _)? = try disk.look(journalPath) else { return nil }
        guard bytes <= UpdateJournal.byteLimit else { throw ReleaseFault.malformed(line: 0, "a journal of \(bytes) bytes") }
        return try UpdateJournal(bytes: try disk.read(journalPath, 0..<bytes))
    }

    /// What the link points to; nil where that is no slot.
    package func linked() throws(SystemError) -> Slot? {
        guard case .link(let target)? = try disk.look(current) else { return nil }
        return Slot.allCases.first { target == Self.target($0) }
    }

    /// What lies in a slot, as its manifest says; nil where there is none that can be read.
    package func manifest(in slot: Slot) throws(SystemError) -> ReleaseManifest? {
        guard case .file(let bytes, _)? = try disk.look(manifestPath(slot)), bytes <= ReleaseManifest.byteLimit else { return nil }
        let text = try disk.read(manifestPath(slot), 0..<bytes)
        // try?: what cannot be read is none.
        return try? ReleaseManifest(bytes: text)
    }

    /// Has a program that came with the installation be the first version: copies it into a slot, with a manifest that nobody has signed,
    /// and makes the link that counts. Nothing happens where that is there; where it is gone and a journal knows what it pointed to, it
    /// is made again, and no version is lost.
    ///
    /// - Parameter built: when the program was, in Unix seconds.
    package func lay(_ program: String, as name: String, _ version: ReleaseVersion, built: Int64) throws {
        try prepare()
        guard try linked() == nil else { return }
        // try?: a journal that cannot be read names no slot, and a slot that cannot be read is not whole.
        if let active = (try? journal())?.active, (try? inspect(active, nil)) == true { return try makeCurrent(active) }
        // It would lead to another slot than the link.
        try disk.change(.remove(journalPath))
        let slot = Slot.a
        try clear(slot)
        let path = "\(folder(slot))/\(name)"
        var digest = SHA256Digest()
        var size = 0
        while true {
            let bytes = try disk.read(program, size..<size + Self.chunkBytes)
            if bytes.isEmpty { break }
            try disk.change(.append(bytes, to: path))
            digest.add(bytes)
            size += bytes.count
        }
        let file = ReleaseFile(
            product: product, machine: machine, isExecutable: true, size: size, digest: digest.finished(), path: name)
        guard let file, size > 0 else { throw ReleaseFault.malformed(line: 0, "'\(program)' is no program that a slot can have") }
        try disk.change(.setMode(Self.mode(file), of: path))
        try disk.change(.sync(path))
        // Of the years that a manifest has.
        let released = min(max(built, 0), 1 << 37)
        let manifest = try ReleaseManifest(
            version: version, sequence: 1, channel: version.isPrerelease ? .edge : .stable, released: released, expires: released + 1,
            minimum: version, files: [file])
        try seal(slot, manifest)
        try makeCurrent(slot)
    }

    /// Makes the link that counts where there is none.
    private func makeCurrent(_ slot: Slot) throws(SystemError) {
        // What is there and leads nowhere is in the way of the link.
        try disk.change(.remove(current))
        try disk.change(.makeLink(current, to: Self.target(slot)))
        try disk.change(.sync(root))
        try prepare()
    }

    /// Makes what is missing: the folders, and the link that stands by. The link that counts is the installation's to make.
    package func prepare() throws(SystemError) {
        if try disk.look(root + "/slots") == nil { try disk.change(.makeFolder(root + "/slots")) }
        for slot in Slot.allCases {
            if try disk.look(folder(slot)) == nil { try disk.change(.makeFolder(folder(slot))) }
        }
        guard let linked = try linked() else { return }
        let target = Self.target(linked.other)
        if try disk.look(standby) != .link(target: target) {
            try disk.change(.remove(standby))
            try disk.change(.makeLink(standby, to: target))
        }
        for path in [root + "/slots", root] { try disk.change(.sync(path)) }
    }

    // MARK: Keys

    /// Whom this board believes: the installation's keys, and every list that has followed them here.
    ///
    /// - Throws: `ReleaseFault` where what came with the installation is no list of keys.
    package func trust(shipped: SignedText) throws -> ReleaseTrust {
        var trust = try ReleaseTrust(shipped: shipped)
        while let next = try list(trust.keys.number + 1) {
            // try?: a list that the disk has damaged is asked for again, like one that never came.
            guard let isNext = try? trust.take(next), isNext else { break }
        }
        return trust
    }

    /// Keeps a list that `UpdateMachine.take` has taken. Source: The Update Framework's specification, 5.3.8.
    package func keep(_ list: SignedText, number: Int) throws(SystemError) { try replace(listPath(number), with: list.bytes, in: root) }

    private func list(_ number: Int) throws(SystemError) -> SignedText? {
        guard case .file(let bytes, _)? = try disk.look(listPath(number)), bytes <= SignedText.byteLimit else { return nil }
        // try?: as above.
        return try? SignedText(bytes: try disk.read(listPath(number), 0..<bytes))
    }

    // MARK: Steps

    /// Carries out a step that is about the disk; nil for the others.
    package func carryOut(_ step: UpdateStep) -> UpdateStep.Outcome? {
        do throws(SystemError) {
            switch step {
            case .wait, .fetch, .restart: return nil
            case .store(let journal): try replace(journalPath, with: journal.bytes, in: root)
            case .clear(let slot): try clear(slot)
            case .measure(let file, let slot): return .bytes(try measured(file, in: slot))
            case .check(let file, let slot): return try check(file, in: slot)
            case .seal(let slot, let manifest): try seal(slot, manifest)
            case .inspect(let slot, let digest): return try inspect(slot, digest) ? .done : .mismatch
            case .point(let slot): try point(slot)
            }
            return .done
        } catch {
            return .failed(error.description)
        }
    }

    /// Puts bytes that were fetched behind those that are there.
    package func append(_ bytes: [UInt8], to file: ReleaseFile, in slot: Slot) -> UpdateStep.Outcome {
        do throws(SystemError) {
            try disk.change(.append(bytes, to: partPath(file, slot)))
            return .bytes(bytes.count)
        } catch {
            return .failed(error.description)
        }
    }

    /// Written beside and renamed: what is there is the old one or the new.
    ///
    /// - Parameter mode: nil: for the updater alone.
    private func replace(_ path: String, with bytes: [UInt8], in folder: String, mode: UInt32? = nil) throws(SystemError) {
        let draft = path + ".new"
        try disk.change(.remove(draft))
        try disk.change(.append(bytes, to: draft))
        if let mode { try disk.change(.setMode(mode, of: draft)) }
        try disk.change(.sync(draft))
        try disk.change(.rename(draft, to: path))
        try disk.change(.sync(folder))
    }

    /// Programs are as old as their release, as those of a package are, whenever they were fetched: what time it is at least a board
    /// without a clock knows by its program (`DeviceIdentity.timeFloor`). The agent, who is another user, reads in the manifest which
    /// version it is (`ReleaseHome`).
    private func seal(_ slot: Slot, _ manifest: ReleaseManifest) throws(SystemError) {
        for file in manifest.files(of: product, for: machine) where file.isExecutable {
            try disk.change(.setTime(manifest.released, of: path(file, slot)))
            try disk.change(.sync(path(file, slot)))
        }
        try replace(manifestPath(slot), with: manifest.bytes, in: folder(slot), mode: 0o644)
    }

    private func clear(_ slot: Slot) throws(SystemError) {
        // What the link points to is never touched, whatever is asked.
        guard try linked() != slot else { throw SystemError("clear", EBUSY, on: folder(slot)) }
        try disk.change(.remove(folder(slot)))
        try disk.change(.makeFolder(folder(slot)))
        try disk.change(.sync(root + "/slots"))
    }

    private func measured(_ file: ReleaseFile, in slot: Slot) throws(SystemError) -> Int {
        if case .file(let bytes, _)? = try disk.look(path(file, slot)), bytes == file.size { return bytes }
        guard case .file(let bytes, _)? = try disk.look(partPath(file, slot)) else { return 0 }
        guard bytes <= file.size else {
            try disk.change(.remove(partPath(file, slot)))
            return 0
        }
        return bytes
    }

    private func check(_ file: ReleaseFile, in slot: Slot) throws(SystemError) -> UpdateStep.Outcome {
        let (whole, part) = (path(file, slot), partPath(file, slot))
        if try disk.look(part) == nil {
            if try isRight(file, at: whole) { return .done }
            try disk.change(.remove(whole))
            // A file without bytes was never asked for.
            guard file.size == 0 else { return .mismatch }
            try disk.change(.append([], to: part))
        }
        guard try digest(of: part, upTo: file.size) == file.digest else {
            try disk.change(.remove(part))
            return .mismatch
        }
        try disk.change(.setMode(Self.mode(file), of: part))
        try disk.change(.sync(part))
        var above = folder(slot)
        for name in file.path.split(separator: "/").dropLast() {
            let next = "\(above)/\(name)"
            if try disk.look(next) == nil { try disk.change(.makeFolder(next)) }
            try disk.change(.sync(above))
            above = next
        }
        try disk.change(.rename(part, to: whole))
        try disk.change(.sync(above))
        try disk.change(.sync(folder(slot)))
        return .done
    }

    private func inspect(_ slot: Slot, _ digest: [UInt8]?) throws(SystemError) -> Bool {
        guard case .file(let bytes, _)? = try disk.look(manifestPath(slot)), bytes <= ReleaseManifest.byteLimit else { return false }
        let text = try disk.read(manifestPath(slot), 0..<bytes)
        // try?: what is no manifest is none of ours, for whatever reason.
        guard digest == nil || SHA256.hash(text) == digest, let manifest = try? ReleaseManifest(bytes: text) else { return false }
        let files = manifest.files(of: product, for: machine)
        for file in files {
            guard try isRight(file, at: path(file, slot)) else { return false }
        }
        return !files.isEmpty
    }

    private func point(_ slot: Slot) throws(SystemError) {
        if try linked() != slot { try disk.change(.exchange(current, standby)) }
        try disk.change(.sync(root))
        guard try linked() == slot else { throw SystemError("readlink", EINVAL, on: current) }
    }

    // MARK: Files

    private func isRight(_ file: ReleaseFile, at path: String) throws(SystemError) -> Bool {
        guard try disk.look(path) == .file(bytes: file.size, mode: Self.mode(file)) else { return false }
        return try digest(of: path, upTo: file.size) == file.digest
    }

    /// - Returns: nil for a file that is longer.
    private func digest(of path: String, upTo limit: Int) throws(SystemError) -> [UInt8]? {
        var digest = SHA256Digest()
        var offset = 0
        while true {
            let bytes = try disk.read(path, offset..<offset + Self.chunkBytes)
            if bytes.isEmpty { return digest.finished() }
            offset += bytes.count
            guard offset <= limit else { return nil }
            digest.add(bytes)
        }
    }

    private static func mode(_ file: ReleaseFile) -> UInt32 { file.isExecutable ? 0o755 : 0o644 }
    private static func target(_ slot: Slot) -> String { "slots/\(slot.rawValue)" }

    private func listPath(_ number: Int) -> String { "\(root)/keys.\(number)" }
    private var journalPath: String { root + "/journal" }
    private var current: String { root + "/current" }
    private var standby: String { root + "/other" }
    private func folder(_ slot: Slot) -> String { "\(root)/slots/\(slot.rawValue)" }
    private func path(_ file: ReleaseFile, _ slot: Slot) -> String { "\(folder(slot))/\(file.path)" }
    private func partPath(_ file: ReleaseFile, _ slot: Slot) -> String { "\(folder(slot))/.part-\(Hex.encode(file.digest))" }
    private func manifestPath(_ slot: Slot) -> String { folder(slot) + "/.release" }
}
