package import Blobs
package import Crypto
import Glibc
import Posix
import SQLite

/// Backups of the database for another disk or another machine (STO-13): sealed for an operator's key, so that the place they are
/// kept at learns nothing, and proven by the master key, which is kept apart, so that nobody can slip one in (THREATS 19).
///
/// `strata-20261122T030000Z.backup` is an `Envelope` of the database file and, behind it, a line `strata-backup 1 HEX`: the SHA-256
/// of the file (32 bytes) and the Unix milliseconds at which it was made (8, big-endian), sealed by the key ring.
package struct Backups: Sendable, Hashable {
    /// The file of the certificate that they are sealed for, PEM.
    package let recipient: String
    package let folder: String
    package let keepDays: Int

    package struct Made: Sendable, Hashable {
        package let path: String
        package let bytes: Int64
        /// Older ones that went.
        package let removed: Int
    }

    package struct Restored: Sendable, Hashable {
        package let madeAt: Timestamp
        /// The name of what was there before; nil where nothing was.
        package let aside: String?
    }

    package enum Failure: Error, Hashable, CustomStringConvertible {
        case noRecipient
        /// The file of the certificate, and what is wrong with it.
        case badRecipient(String, reason: String)
        /// The file of the key, and what is wrong with it.
        case notAKey(String, reason: String)
        case noDatabase(String)
        case noMasterKey(String)
        case otherMasterKey(String)
        /// The key of its time is not in the key file any more.
        case retiredMasterKey(String)
        case notABackup(String)
        case otherUser(String)
        case tooLarge(String)
        case noRoom(String)

        package var description: String {
            switch self {
            case .noRecipient: "backup.recipient is missing: the certificate to seal backups for, made as Control/README.md says"
            case .badRecipient(let path, let reason):
                "backup.recipient, \(path), holds no certificate in PEM form, made as Control/README.md says: \(reason)"
            case .notAKey(let path, let reason):
                "--key \(path) holds no private key in PEM form without a passphrase: name the one of backup.recipient's certificate: \(reason)"
            case .noDatabase(let path): "there is no \(path): control never ran here"
            case .noMasterKey(let path):
                "there is no \(path): put the one that was kept apart there first, mode 600; without it no secret can be read"
            case .otherMasterKey(let path): "not one of this server's, or changed: the master key does not vouch for \(path)"
            case .retiredMasterKey(let path):
                "\(path) is from before a rotation of the master key: put the master.key of its time in the state folder first"
            case .otherUser(let path): "\(path) belongs to another user: run this as the user of the service"
            case .tooLarge(let path):
                "\(path) has over \(Envelope.mostBytes >> 20) MiB, more than can be opened again: the older backups stay"
            case .noRoom(let path): "no room for a copy beside \(path): control itself would run out of it"
            case .notABackup(let path): "\(path) opens, and holds no backup of control's"
            }
        }
    }

    private static let prefix = "strata-"
    private static let suffix = ".backup"
    private static let draft = ".draft"
    /// What is left to control on its disk.
    private static let spareBytes = 256 << 20

    package init(recipient: String, folder: String, keepDays: Int) {
        self.recipient = recipient
        self.folder = folder
        self.keepDays = keepDays
    }

    /// Makes one, while control runs or not, and removes those that are too old. One at a time.
    ///
    /// - Parameter blobs: go into it too.
    /// - Throws: `Failure`, `CryptoError`, `SQLiteError`, `SystemError`; older ones are all there then.
    package func make(
        of database: String, with blobs: BlobFolder, keys: Keyring, certificate: String, at now: Timestamp
    ) async throws -> Made {
        do throws(CryptoError) { _ = try Certificate(pem: certificate) } catch {
            throw Failure.badRecipient(recipient, reason: "\(error)")
        }
        try Folder.make(folder)
        let lock = try FolderLock(folder)
        defer { lock.release() }
        try check(database)
        try removeDrafts()
        let copy = database + ".backup"
        let path = "\(folder)/\(Self.prefix)\(Self.name(now))\(Self.suffix)"
        let draft = path + Self.draft
        defer { for path in [copy, copy + "-wal", copy + "-shm", draft] { unlink(path) } }
        let source = try await Database.open(.file(database))
        // In one piece: with steps a copy begins anew whenever control writes between two of them.
        try await source.backUp(to: copy, pagesAtOnce: -1)
        try await source.close()
        try await BlobCopies(database: copy).add(from: blobs)
        unlink(draft)
        try Envelope.seal(copy, into: draft, for: certificate) { digest throws(CryptoError) in
            try BackupProof(digest: digest, madeAt: now).line(keys)
        }
        guard rename(draft, path) == 0 else { throw SystemError("rename", on: path) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemError("stat", on: path) }
        return Made(path: path, bytes: Int64(status.st_size), removed: try removeExpired(at: now))
    }

    /// Opens a backup and puts it in the place of the database, which must not be open anywhere; what was there is put aside.
    ///
    /// - Parameters:
    ///   - blobs: where the files go that it has.
    ///   - key: the operator's private key, PEM, and the file that it was read from.
    /// - Throws: `Failure`, `CryptoError`, `SQLiteError`, `SystemError`, `BlobError`: nothing has changed then but for files that nothing
    ///   refers to.
    package static func restore(
        _ path: String, to database: String, and blobs: BlobFolder, keys: Keyring, key: (pem: String, file: String), at now: Timestamp
    ) async throws -> Restored {
        do throws(CryptoError) { try Envelope.checkKey(key.pem) } catch { throw Failure.notAKey(key.file, reason: "\(error)") }
        let opened = database + ".opened"
        // One that was killed may have left a log as well, which is of another file.
        func clear() { for end in ["", "-wal", "-shm", "-journal"] { unlink(opened + end) } }
        clear()
        defer { clear() }
        try Envelope.open(path, into: opened, with: key.pem)
        let madeAt = try BackupProof.takenOff(opened, keys, path)
        try await BlobCopies(database: opened).putBack(into: blobs)
        do {
            return Restored(madeAt: madeAt, aside: try await SafetyCopies(of: database).putInPlace(opened, at: now))
        } catch SafetyCopies.Failure.notControls {
            throw Failure.notABackup(path)
        }
    }

    /// Whose it is, whether it can be opened again, and whether there is room: a copy of it lies beside it for a moment.
    private func check(_ database: String) throws {
        var status = stat()
        guard stat(database, &status) == 0 else { throw Failure.noDatabase(database) }
        guard status.st_uid == geteuid() else { throw Failure.otherUser(database) }
        var log = stat()
        let bytes = Int(status.st_size) + (stat(database + "-wal", &log) == 0 ? Int(log.st_size) : 0)
        guard bytes <= Envelope.mostBytes else { throw Failure.tooLarge(database) }
        var space = statvfs()
        guard statvfs(database, &space) == 0 else { throw SystemError("statvfs", on: database) }
        guard Int(space.f_bavail) * Int(space.f_frsize) > bytes + Self.spareBytes else { throw Failure.noRoom(database) }
    }

    /// `20261122T030000Z`
    private static func name(_ now: Timestamp) -> String {
        String(now.text.prefix { $0 != "." }).filter { $0 != "-" && $0 != ":" && $0 != "Z" } + "Z"
    }

    private func removeExpired(at now: Timestamp) throws -> Int {
        // Names of one length that sort as their times do.
        let oldest = Self.prefix + Self.name(now - .seconds(keepDays * 86_400)) + Self.suffix
        return try remove { $0.hasSuffix(Self.suffix) && $0.utf8.count == oldest.utf8.count && $0 < oldest }
    }

    /// What those left that were killed.
    private func removeDrafts() throws { _ = try remove { $0.hasSuffix(Self.suffix + Self.draft) } }

    private func remove(_ isOver: (String) -> Bool) throws -> Int {
        guard let stream = opendir(folder) else { throw SystemError("opendir", on: folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasPrefix(Self.prefix), isOver(name) { names.append(name) }
        }
        for name in names {
            guard unlink("\(folder)/\(name)") == 0 else { throw SystemError("unlink", on: "\(folder)/\(name)") }
        }
        return names.count
    }
}

/// What the master key says of a backup, as the line behind its bytes.
private struct BackupProof {
    let digest: [UInt8]
    let madeAt: Timestamp

    private static let head = Array("\nstrata-backup 1 ".utf8)
    private static let place = SealedPlace(organization: "", column: "backup", row: "")
    /// Version, key, nonce and tag about 40 bytes, in hex, and the end of the line.
    private static let byteCount = head.count + 2 * (1 + 4 + 12 + 40 + 16) + 1

    func line(_ keys: Keyring) throws(CryptoError) -> [UInt8] {
        let sealed = try keys.seal(digest + withUnsafeBytes(of: madeAt.unixMs.bigEndian, Array.init), for: Self.place)
        return Self.head + Array(Hex.encode(sealed).utf8) + [UInt8(ascii: "\n")]
    }

    /// Checks the line at the end of a file and cuts it off.
    static func takenOff(_ path: String, _ keys: Keyring, _ name: String) throws -> Timestamp {
        let raw = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let descriptor = Descriptor(adopting: raw)
        let end = Int(lseek(descriptor.raw, 0, SEEK_END)) - byteCount
        var line = [UInt8](repeating: 0, count: byteCount)
        guard end > 0, pread(descriptor.raw, &line, line.count, off_t(end)) == line.count, line.starts(with: head),
            line.last == UInt8(ascii: "\n"),
            let sealed = Hex.decode(String(decoding: line.dropFirst(head.count).dropLast(), as: UTF8.self))
        else { throw Backups.Failure.notABackup(name) }
        let proof: [UInt8]
        do {
            proof = try keys.open(sealed, for: place)
        } catch CryptoError.unknownKey {
            throw Backups.Failure.retiredMasterKey(name)
        } catch { throw Backups.Failure.otherMasterKey(name) }
        var digest = SHA256Digest()
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var place = 0
        while place < end {
            let count = pread(descriptor.raw, &chunk, min(chunk.count, end - place), off_t(place))
            guard count > 0 else { throw SystemError("pread", on: path) }
            digest.add(Array(chunk.prefix(count)))
            place += count
        }
        guard proof.count == 40, Array(proof.prefix(32)) == digest.finished() else { throw Backups.Failure.otherMasterKey(name) }
        guard ftruncate(descriptor.raw, off_t(end)) == 0 else { throw SystemError("ftruncate", on: path) }
        return Timestamp(unixMs: proof.suffix(8).reduce(0) { $0 << 8 | Int64($1) })
    }
}
