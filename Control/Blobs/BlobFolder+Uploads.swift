import Crypto
import Glibc
import Posix
import Units

/// Objects that come in parts, on disk: a folder for each upload, a file for each part, called by its number.
extension BlobFolder {
    private static let uploads = ".uploads"
    /// What an upload is: the key's path, the whole's digest or a hyphen, the type.
    private static let termsFile = "object"

    private func folder(of upload: ObjectUpload) -> String { "\(root)/\(Self.uploads)/\(upload.id)" }

    /// As `ObjectStore.begin`.
    func begin(_ key: ObjectKey, type: String, sha256: String?) throws -> ObjectUpload {
        precondition(ObjectLimits.isType(type) && (sha256.map(ObjectLimits.isDigest) ?? true), "terms are checked where they are made")
        let upload = ObjectUpload(key, id: Hex.encode(randomBytes(16)))
        let folder = folder(of: upload)
        try onDisk {
            try Folder.make(folder)
            guard try space(folder).isAmple else { throw BlobError.diskFull }
            let text = "\(key.path)\n\(sha256 ?? "-")\n\(type)\n"
            try put(Array(text.utf8), draft: Self.newDraft(in: folder), place: "\(folder)/\(Self.termsFile)")
            for path in [folder, "\(root)/\(Self.uploads)", root] { try Self.sync(path) }
        }
        return upload
    }

    /// As `ObjectStore.send`.
    func send(_ bytes: [UInt8], as number: Int, of upload: ObjectUpload) throws -> ObjectPart {
        try ObjectLimits.check(bytes.count)
        guard ObjectLimits.parts.contains(number) else { throw BlobError.badParts("there is no part \(number)") }
        _ = try terms(of: upload)
        let folder = folder(of: upload)
        try onDisk {
            guard try space(folder).isAmple else { throw BlobError.diskFull }
            try put(bytes, draft: Self.newDraft(in: folder), place: "\(folder)/\(number)")
            try Self.sync(folder)
        }
        return ObjectPart(number: number, bytes: bytes.count, tag: Hex.encode(SHA256.hash(bytes)))
    }

    /// As `ObjectStore.complete`.
    func complete(_ upload: ObjectUpload, _ parts: [ObjectPart]) throws -> ObjectFacts {
        let terms = try terms(of: upload)
        try ObjectLimits.check(parts)
        let folder = folder(of: upload)
        let facts = try place(upload.key) { file, draft in
            var digest = SHA256Digest()
            var count = 0
            for part in parts {
                let bytes = try Self.part(part, in: folder)
                try Self.append(bytes, to: file, draft)
                digest.add(bytes)
                count += bytes.count
            }
            let sha256 = Hex.encode(digest.finished())
            guard terms.sha256 == nil || terms.sha256 == sha256 else { throw BlobError.badParts("the whole has another digest") }
            return ObjectSum(sha256: sha256, bytes: count, type: terms.type)
        }
        try Self.removeTree(folder)
        return facts
    }

    /// As `ObjectStore.abandon`.
    func abandon(_ upload: ObjectUpload) throws {
        guard Self.isID(upload.id) else { return }
        try Self.removeTree(folder(of: upload))
    }

    /// Those that have begun for an organisation.
    func removeUploads(of organization: OrganizationID) throws {
        for id in try Self.names(in: "\(root)/\(Self.uploads)") {
            let path = "\(root)/\(Self.uploads)/\(id)"
            guard let key = try Self.read(path)?.key else { continue }
            if key.organization == organization { try Self.removeTree(path) }
        }
    }

    /// Removes what nobody has touched since a time and nobody will: uploads, drafts of a crash, digests whose object is gone.
    func sweep(before unixSeconds: Int64) throws {
        for id in try Self.names(in: "\(root)/\(Self.uploads)") {
            let path = "\(root)/\(Self.uploads)/\(id)"
            // A part that comes changes its folder's time.
            if Self.isOlder(path, unixSeconds) { try Self.removeTree(path) }
        }
        try sweep("\(root)/org", before: unixSeconds)
    }

    private func sweep(_ folder: String, before unixSeconds: Int64) throws {
        let names = try Self.names(in: folder)
        let present = Set(names)
        for name in names {
            let path = "\(folder)/\(name)"
            if Self.isFolder(path) {
                try sweep(path, before: unixSeconds)
            } else if Self.isOlder(path, unixSeconds) {
                let isLeft = name.hasPrefix(ObjectSum.prefix) && !present.contains(String(name.dropFirst(ObjectSum.prefix.count)))
                if isLeft || name.hasPrefix(Self.draft) { try Self.unlink(path) }
            }
        }
    }

    // MARK: Parts

    private struct Terms {
        let key: ObjectKey
        let sha256: String?
        let type: String
    }

    /// What was said at the beginning.
    ///
    /// - Throws: `.noUpload`, also where the upload is another object's.
    private func terms(of upload: ObjectUpload) throws -> Terms {
        guard Self.isID(upload.id), let terms = try Self.read(folder(of: upload)), terms.key == upload.key else { throw BlobError.noUpload }
        return terms
    }

    private static func read(_ folder: String) throws(RegularFile.Fault) -> Terms? {
        do throws(RegularFile.Fault) {
            let text = String(decoding: try RegularFile("\(folder)/\(termsFile)", upTo: 4096, links: .refused).bytes, as: UTF8.self)
            let lines = text.split(separator: "\n").map(String.init)
            guard lines.count == 3, let key = ObjectKey(lines[0]), ObjectLimits.isType(lines[2]) else { return nil }
            return Terms(key: key, sha256: lines[1] == "-" ? nil : lines[1], type: lines[2])
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    private static func part(_ part: ObjectPart, in folder: String) throws -> [UInt8] {
        let bytes: [UInt8]
        do throws(RegularFile.Fault) {
            bytes = try RegularFile("\(folder)/\(part.number)", upTo: ObjectLimits.bytes, links: .refused).bytes
        } catch {
            if error.isMissing { throw BlobError.badParts("part \(part.number) has not come") }
            throw error
        }
        guard bytes.count == part.bytes, Hex.encode(SHA256.hash(bytes)) == part.tag else {
            throw BlobError.badParts("part \(part.number) is not what was sent")
        }
        return bytes
    }

    /// Of ours: 32 hexadecimal digits, so that it is no path.
    private static func isID(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private func onDisk(_ body: () throws -> Void) throws {
        do { try body() } catch let error as SystemError where error.code == ENOSPC || error.code == EDQUOT { throw BlobError.diskFull }
    }
}
