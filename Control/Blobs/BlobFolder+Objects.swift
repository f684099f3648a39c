import Crypto
import Glibc
import HTTP
import Posix
import Units
import Web

/// Objects by their keys: `ObjectStore` on disk. Whatever a key says, files are opened below the folder and through no link.
extension BlobFolder {
    /// As `ObjectStore.put`.
    func put(_ bytes: [UInt8], to key: ObjectKey, type: String) throws -> ObjectFacts {
        try ObjectLimits.check(bytes.count)
        return try place(key) { file, draft in
            try Self.append(bytes, to: file, draft)
            return ObjectSum(sha256: Hex.encode(SHA256.hash(bytes)), bytes: bytes.count, type: type)
        }
    }

    /// Writes a draft beside an object's place, its digest, and then moves it there: a crash leaves what was there or what is new.
    ///
    /// - Parameter write: fills the draft, and says what is in it.
    func place(_ key: ObjectKey, _ write: (_ file: CInt, _ draft: String) throws -> ObjectSum) throws -> ObjectFacts {
        let folder = "\(root)/\(key.folder)"
        let draft = Self.newDraft(in: folder)
        do {
            try Folder.make(folder)
            guard try space(folder).isAmple else { throw BlobError.diskFull }
            let sum = try fill(draft, write)
            let before = try facts(of: key) == nil ? [] : sums(of: key)
            try keep([sum] + before.prefix(3), of: key)
            // Of names that are not synced any may be on the disk: both digests before the object, the object before its own alone.
            if !before.isEmpty { try Self.sync(folder) }
            guard rename(draft, "\(root)/\(key.path)") == 0 else { throw SystemError("rename", on: key.path) }
            if !before.isEmpty {
                try Self.sync(folder)
                try keep([sum], of: key)
            }
            try syncAll(key.folder)
            return ObjectFacts(
                key: key, bytes: sum.bytes, modified: unixMilliseconds() / 1000, sha256: sum.sha256, type: sum.type)
        } catch {
            Glibc.unlink(draft)
            if let fault = error as? SystemError, fault.code == ENOSPC || fault.code == EDQUOT { throw BlobError.diskFull }
            throw error
        }
    }

    private func fill(_ draft: String, _ write: (_ file: CInt, _ draft: String) throws -> ObjectSum) throws -> ObjectSum {
        let raw = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw SystemError("open", on: draft) }
        let file = Descriptor(adopting: raw)
        let sum = try write(file.raw, draft)
        try Self.flush(file.raw, draft)
        return sum
    }

    private func keep(_ sums: [ObjectSum], of key: ObjectKey) throws {
        let folder = "\(root)/\(key.folder)"
        try put(ObjectSum.text(sums), draft: Self.newDraft(in: folder), place: "\(root)/\(ObjectSum.file(of: key))")
    }

    /// The folder's names and those of all above it, which may be new.
    private func syncAll(_ folder: String) throws {
        var path = folder
        while path != "." {
            try Self.sync("\(root)/\(path)")
            path = UnixSocket.folder(of: path)
        }
        try Self.sync(root)
    }

    // MARK: Reading

    /// As `ObjectStore.get`.
    func get(_ key: ObjectKey, _ range: ByteRange?) throws -> ObjectBytes? {
        guard let file = try opened(key) else { return nil }
        let status = try Self.status(of: file.raw, key.path)
        let size = Int(status.st_size)
        if let range { try ObjectLimits.check(range) }
        let wanted = range.map { ByteRange(first: $0.first, last: min($0.last, size - 1)) }
        if let wanted, wanted.first >= size { throw BlobError.beyondEnd }
        try ObjectLimits.check(wanted?.count ?? size)
        let bytes = try Self.read(file.raw, from: wanted?.first ?? 0, count: wanted?.count ?? size, key.path)
        let sums = try sums(of: key)
        if wanted == nil, !sums.isEmpty {
            let digest = Hex.encode(SHA256.hash(bytes))
            guard sums.contains(where: { $0.sha256 == digest && $0.bytes == size }) else { throw BlobError.damaged(key.path) }
        }
        return ObjectBytes(facts: Self.facts(key, status, sums), range: wanted, bytes: bytes)
    }

    /// As `ObjectStore.find`.
    func facts(of key: ObjectKey) throws -> ObjectFacts? {
        guard let file = try opened(key) else { return nil }
        return Self.facts(key, try Self.status(of: file.raw, key.path), try sums(of: key))
    }

    /// As `BlobStore.file`.
    func file(_ key: ObjectKey) throws -> FileBody? {
        guard let file = try opened(key) else { return nil }
        return try FileBody(adopting: file, name: key.path)
    }

    /// nil where there is no such object.
    private func opened(_ key: ObjectKey) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            let folder = try Folder(root)
            return try folder.open(key.path)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    private func sums(of key: ObjectKey) throws(RegularFile.Fault) -> [ObjectSum] {
        do throws(RegularFile.Fault) {
            return ObjectSum.read(try RegularFile("\(root)/\(ObjectSum.file(of: key))", upTo: ObjectSum.mostBytes, links: .refused).bytes)
        } catch {
            if error.isMissing { return [] }
            throw error
        }
    }

    private static func facts(_ key: ObjectKey, _ status: stat, _ sums: [ObjectSum]) -> ObjectFacts {
        let fitting = sums.filter { $0.bytes == Int(status.st_size) }
        // Of two that fit, a crash did not say which it left.
        var digest = fitting.count == 1 ? fitting[0].sha256 : nil
        if sums.isEmpty, key.place == .branding || key.place == .avatars {
            digest = key.name.split(separator: ".").first.map(String.init).flatMap { ObjectLimits.isDigest($0) ? $0 : nil }
        }
        return ObjectFacts(
            key: key, bytes: Int(status.st_size), modified: Int64(status.st_mtim.tv_sec), sha256: digest, type: fitting.first?.type)
    }

    private static func status(of file: CInt, _ path: String) throws(SystemError) -> stat {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw SystemError("fstat", on: path) }
        return status
    }

    /// Exactly so many bytes: a file that ends earlier has been cut short meanwhile.
    private static func read(_ file: CInt, from first: Int, count: Int, _ path: String) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress.map { $0 + done }, count - done, off_t(first + done)) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw SystemError("pread", on: path) }
            guard got > 0 else { throw BlobError.damaged(path) }
            done += got
        }
        return bytes
    }

    // MARK: Removing and listing

    /// As `ObjectStore.remove`. The digest goes last.
    func remove(_ key: ObjectKey) throws {
        guard Self.isFolder("\(root)/\(key.folder)") else { return }
        try Self.unlink("\(root)/\(key.path)")
        try Self.unlink("\(root)/\(ObjectSum.file(of: key))")
        try Self.sync("\(root)/\(key.folder)")
    }

    /// As `ObjectStore.list`; a page is named by the last key of the one before.
    func list(_ prefix: ObjectPrefix, after: String?, most: Int) throws -> ObjectPage {
        var objects: [ObjectFacts] = []
        _ = try walk(String(prefix.path.dropLast()), after: after) { object in
            objects.append(object)
            return objects.count <= most
        }
        guard objects.count > most else { return ObjectPage(objects: objects, next: nil) }
        objects.removeLast()
        return ObjectPage(objects: objects, next: objects.last?.key.path)
    }

    func usage(of organization: OrganizationID) throws -> ObjectUsage {
        var usage = ObjectUsage()
        _ = try walk(String(ObjectPrefix(of: organization).path.dropLast()), after: nil) { object in
            usage.objects += 1
            usage.bytes += object.bytes
            return true
        }
        return usage
    }

    /// Every object below a folder, by its key's bytes.
    ///
    /// - Parameters:
    ///   - path: below the root, without a slash at its end.
    ///   - after: keys up to this one are passed over.
    ///   - body: whether to go on.
    /// - Returns: whether it went to the end.
    private func walk(_ path: String, after: String?, _ body: (ObjectFacts) throws -> Bool) throws -> Bool {
        guard Self.isFolder("\(root)/\(path)") else { return true }
        // A folder stands where its objects do: `a/b` is behind `a-b`.
        let entries = try Self.names(in: "\(root)/\(path)").filter { !$0.hasPrefix(".") }
            .map { Self.isFolder("\(root)/\(path)/\($0)") ? "\($0)/" : $0 }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for entry in entries {
            let text = "\(path)/\(entry)"
            if entry.hasSuffix("/") {
                // All in it is before the last one of the page before.
                if let after, !after.hasPrefix(text), text.utf8.lexicographicallyPrecedes(after.utf8) { continue }
                guard try walk(String(text.dropLast()), after: after, body) else { return false }
            } else {
                if let after, !after.utf8.lexicographicallyPrecedes(text.utf8) { continue }
                var status = stat()
                guard let key = ObjectKey(text), lstat("\(root)/\(text)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                    continue
                }
                let facts = ObjectFacts(
                    key: key, bytes: Int(status.st_size), modified: Int64(status.st_mtim.tv_sec), sha256: nil, type: nil)
                guard try body(facts) else { return false }
            }
        }
        return true
    }
}
