import Crypto
import Foundation
import Posix
import Testing
import Units

@testable import Blobs

@Suite("The folder of blobs")
struct BlobFolderTests {
    /// Runs a test in a folder that goes with it.
    private func inFolder(_ space: DiskSpace = DiskSpace(free: 100, total: 100), _ body: (BlobFolder, String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/strata-blobs-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(BlobFolder(path) { _ in space }, path)
    }

    private func files(_ path: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(path)/\($0)", isDirectory: &isFolder) && !isFolder.boolValue
        }.sorted()
    }

    @Test("has each blob under its organisation, area and content, 0600, and gives it back; another organisation's is another one")
    func written() throws {
        try inFolder { folder, path in
            let key = BlobKey(Pictures.png, .png, in: .branding, of: organization(1))
            #expect(try folder.read(key) == nil)
            try folder.write(Pictures.png, to: key)
            try folder.write(Pictures.png, to: key)
            #expect(try folder.read(key) == Pictures.png)
            #expect(try files(path) == ["org/\(key.organization)/branding/\(Hex.encode(SHA256.hash(Pictures.png))).png"])
            let mode = try FileManager.default.attributesOfItem(atPath: "\(path)/\(key.path)")[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try folder.read(BlobKey(Pictures.png, .png, in: .avatars, of: key.organization)) == nil)
            #expect(try folder.read(BlobKey(Pictures.png, .png, in: .branding, of: organization(2))) == nil)
        }
    }

    @Test("has no names but those of contents: nothing leads out of it")
    func names() {
        let own = organization(1), digest = String(repeating: "a", count: 64)
        #expect(BlobKey("\(digest).png", in: .branding, of: own)?.path == "org/\(own)/branding/\(digest).png")
        for name in [
            "", ".", "..", "../../../strata.db", "\(digest).svg", "\(digest).png/", "\(digest).png.png", "\(digest)", ".\(digest).png",
            "../\(digest).png", "\(digest.uppercased()).png", "\(digest.dropLast()).png", "\(digest.dropLast())/.png", "\(digest).PNG",
            "\(digest.dropLast())\u{0}.png", "\(digest).png\u{0}", "\(String(repeating: "é", count: 32)).png",
        ] {
            #expect(BlobKey(name, in: .branding, of: own) == nil, "\(name)")
        }
    }

    @Test("follows no link and reads nothing that is larger than a blob of its area")
    func strange() throws {
        try inFolder { folder, path in
            let key = BlobKey(Pictures.png, .png, in: .avatars, of: organization(1))
            try folder.write(Pictures.png, to: key)
            let place = "\(path)/\(key.path)"
            try FileManager.default.removeItem(atPath: place)
            try Data(count: BlobArea.avatars.mostBytes + 1).write(to: URL(fileURLWithPath: place))
            #expect(throws: RegularFile.Fault.self) { try folder.read(key) }
            try FileManager.default.removeItem(atPath: place)
            try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: "/etc/hostname")
            #expect(throws: RegularFile.Fault.self) { try folder.read(key) }
        }
    }

    @Test("takes nothing where less than a twentieth of the disk is free, and leaves nothing behind then")
    func full() throws {
        let key = BlobKey(Pictures.png, .png, in: .branding, of: organization(1))
        try inFolder(DiskSpace(free: 4, total: 100)) { folder, path in
            #expect(throws: BlobError.diskFull) { try folder.write(Pictures.png, to: key) }
            let left = try files(path)
            #expect(left.isEmpty)
        }
        try inFolder(DiskSpace(free: 5, total: 100)) { folder, _ in try folder.write(Pictures.png, to: key) }
        let real = try DiskSpace(of: "/")
        #expect(real.total > 0 && (0...real.total).contains(real.free))
    }

    @Test("removes what is older than a time and nothing that was written since, drafts of a crash too, and an organisation whole")
    func removed() throws {
        try inFolder { folder, path in
            let (first, second) = (organization(1), organization(2))
            let keys = [BlobKey([1], .png, in: .branding, of: first), BlobKey([1], .jpeg, in: .avatars, of: second)]
            for key in keys { try folder.write([1], to: key) }
            let draft = "org/\(first)/branding/.draft-0011"
            try Data([1]).write(to: URL(fileURLWithPath: "\(path)/\(draft)"))
            let now = Int64(Date.now.timeIntervalSince1970)
            #expect(try folder.settled(before: now - 60).isEmpty)
            #expect(try files(path).contains(draft))
            try folder.remove(keys[0], writtenBefore: now - 60)
            #expect(try folder.read(keys[0]) != nil)
            #expect(try Set(folder.settled(before: now + 60)) == Set(keys))
            #expect(try !files(path).contains(draft))
            try folder.remove(keys[0], writtenBefore: now + 60)
            #expect(try files(path) == [keys[1].path])
            try folder.removeAll(of: second)
            try folder.removeAll(of: second)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/org") == ["\(first)"])
        }
    }
}
