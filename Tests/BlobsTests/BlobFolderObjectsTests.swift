import Crypto
import Foundation
import HTTP
import Posix
import Support
import Testing
import Units

@testable import Blobs

@Suite("Objects in a folder")
struct BlobFolderObjectsTests {
    private let own = organization(1)

    /// Runs a test in a folder that goes with it.
    private func inFolder(_ space: DiskSpace = DiskSpace(free: 100, total: 100), _ body: (BlobFolder, String) throws -> Void) throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        try body(BlobFolder("\(folder.path)/blobs") { _ in space }, "\(folder.path)/blobs")
    }

    private func key(_ name: String, of organization: OrganizationID? = nil) throws -> ObjectKey {
        try #require(ObjectKey(name, in: .session(session(1), .chunks), of: organization ?? own))
    }

    private func change(_ path: String, _ body: (inout [UInt8]) -> Void) throws {
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        body(&bytes)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    private func files(_ path: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).filter { !BlobFolder.isFolder("\(path)/\($0)") }.sorted()
    }

    @Test("are files for their owner alone, each with its digest beside it, and leave nothing when they go")
    func files() throws {
        try inFolder { folder, path in
            let key = try key("a.webm")
            _ = try folder.put([1, 2, 3], to: key, type: "video/webm")
            #expect(try files(path) == ["\(key.folder)/.sum-a.webm", key.path])
            for file in try files(path) {
                let mode = try FileManager.default.attributesOfItem(atPath: "\(path)/\(file)")[.posixPermissions] as? Int
                #expect(mode == 0o600)
            }
            let sum = try String(contentsOfFile: "\(path)/\(key.folder)/.sum-a.webm", encoding: .utf8)
            #expect(sum == "\(Hex.encode(SHA256.hash([1, 2, 3]))) 3 video/webm\n")
            try folder.remove(key)
            let left = try files(path)
            #expect(left.isEmpty)
        }
    }

    @Test("that a disk has changed, cut or lost the end of are damaged, and say so")
    func damaged() throws {
        try inFolder { folder, path in
            let key = try key("a.webm")
            for damage in [
                { $0[1] ^= 1 }, { $0.removeLast() }, { $0.append(0) }, { $0 = [] },
            ] as [(inout [UInt8]) -> Void] {
                _ = try folder.put([1, 2, 3], to: key, type: "video/webm")
                #expect(try folder.get(key, nil)?.bytes == [1, 2, 3])
                try change("\(path)/\(key.path)", damage)
                #expect(throws: BlobError.damaged(key.path)) { try folder.get(key, nil) }
            }
        }
    }

    @Test("that were being replaced when the power went are the old or the new ones, and not damaged")
    func interrupted() throws {
        try inFolder { folder, path in
            let key = try key("a.webm"), place = "\(path)/\(key.path)", sum = "\(path)/\(key.folder)/.sum-a.webm"
            let (old, new) = ([1, 2, 3], [4, 5, 6]) as ([UInt8], [UInt8])
            func line(_ bytes: [UInt8]) -> String { "\(Hex.encode(SHA256.hash(bytes))) \(bytes.count) a/b\n" }
            _ = try folder.put(old, to: key, type: "a/b")
            // Its digest is written, the object is not yet moved to its place.
            try (line(new) + line(old)).write(toFile: sum, atomically: true, encoding: .utf8)
            #expect(try folder.get(key, nil)?.bytes == old)
            try Data(new).write(to: URL(fileURLWithPath: place))
            #expect(try folder.get(key, nil)?.bytes == new)
            // What is put next is all there is again.
            _ = try folder.put(old, to: key, type: "a/b")
            #expect(try String(contentsOfFile: sum, encoding: .utf8) == line(old))
            // The first one of all: a digest without its object is none.
            try folder.remove(key)
            try line(new).write(toFile: sum, atomically: true, encoding: .utf8)
            #expect(try folder.get(key, nil) == nil)
            #expect(try folder.facts(of: key) == nil)
        }
    }

    @Test("are read through no link, neither of theirs nor of a folder above them")
    func links() throws {
        try inFolder { folder, path in
            let key = try key("a.webm"), other = try self.key("a.webm", of: organization(2))
            _ = try folder.put([1], to: key, type: "a/b")
            try FileManager.default.removeItem(atPath: "\(path)/\(key.path)")
            try FileManager.default.createSymbolicLink(atPath: "\(path)/\(key.path)", withDestinationPath: "/etc/hostname")
            #expect(throws: SystemError.self) { try folder.get(key, nil) }
            try FileManager.default.createSymbolicLink(
                atPath: "\(path)/org/\(other.organization)", withDestinationPath: "\(path)/org/\(own)")
            #expect(throws: SystemError.self) { try folder.facts(of: other) }
            #expect(try folder.list(ObjectPrefix(of: other.organization), after: nil, most: 10).objects.isEmpty)
            #expect(try folder.list(ObjectPrefix(of: own), after: nil, most: 10).objects.isEmpty)
        }
    }

    @Test("are taken while a twentieth of the disk is free, and what is refused leaves nothing")
    func full() throws {
        try inFolder(DiskSpace(free: 4, total: 100)) { folder, path in
            let key = try key("a.webm")
            #expect(throws: BlobError.diskFull) { try folder.put([1], to: key, type: "a/b") }
            #expect(throws: BlobError.diskFull) { try folder.begin(key, type: "a/b", sha256: nil) }
            let left = try files(path)
            #expect(left.isEmpty)
        }
    }

    @Test("that come in parts are whole as they were announced: another digest, a changed part and another object's upload are refused")
    func parts() throws {
        try inFolder { folder, path in
            let key = try key("a.webm"), other = try self.key("b.webm")
            let upload = try folder.begin(key, type: "a/b", sha256: Hex.encode(SHA256.hash([1, 2])))
            let wrong = try folder.send([3], as: 1, of: upload)
            #expect(throws: BlobError.badParts("the whole has another digest")) { try folder.complete(upload, [wrong]) }
            let right = try folder.send([1, 2], as: 1, of: upload)
            #expect(throws: BlobError.badParts("part 1 is not what was sent")) { try folder.complete(upload, [wrong]) }
            #expect(throws: BlobError.badParts("part 2 has not come")) {
                try folder.complete(upload, [ObjectPart(number: 2, bytes: 2, tag: right.tag)])
            }
            #expect(throws: BlobError.noUpload) { try folder.complete(ObjectUpload(other, id: upload.id), [right]) }
            for id in ["", "..", "../../org", upload.id.uppercased() + "A", String(repeating: "0", count: 32)] {
                #expect(throws: BlobError.noUpload, "\(id)") { try folder.send([1], as: 1, of: ObjectUpload(key, id: id)) }
                try folder.abandon(ObjectUpload(key, id: id))
            }
            #expect(try folder.complete(upload, [right]).bytes == 2)
            #expect(try files(path) == ["\(key.folder)/.sum-a.webm", key.path])
        }
    }

    @Test("of an organisation go with it, and what nobody has touched for a day of uploads and drafts goes by itself")
    func swept() throws {
        try inFolder { folder, path in
            let mine = try key("a.webm"), foreign = try key("a.webm", of: organization(2))
            for key in [mine, foreign] {
                _ = try folder.put([1], to: key, type: "a/b")
                _ = try folder.begin(key, type: "a/b", sha256: nil)
            }
            try folder.removeAll(of: own)
            let left = try files(path)
            #expect(left.count == 3 && left.filter { $0.hasPrefix(".uploads/") }.count == 1 && left.contains(foreign.path))
            for name in [".draft-00", ".sum-gone"] { try Data([1]).write(to: URL(fileURLWithPath: "\(path)/\(foreign.folder)/\(name)")) }
            let now = unixMilliseconds() / 1000
            try folder.sweep(before: now - 60)
            #expect(try files(path).count == 5)
            try folder.sweep(before: now + 60)
            #expect(try files(path) == ["\(foreign.folder)/.sum-a.webm", foreign.path])
        }
    }
}
