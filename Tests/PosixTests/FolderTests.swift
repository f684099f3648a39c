import Foundation
import Posix
import Testing

@Suite struct FolderTests {
    @Test("a folder is made with what is missing above it, and is left alone where it is there; a file in its place is named")
    func make() throws {
        let root = "/tmp/st-folder-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for _ in 0..<2 { try Folder.make(root + "/a/b/") }
        var isFolder: ObjCBool = false
        #expect(FileManager.default.fileExists(atPath: root + "/a/b", isDirectory: &isFolder) && isFolder.boolValue)
        chmod(root + "/a", 0o700)
        try Folder.make(root + "/a")
        #expect(try FileManager.default.attributesOfItem(atPath: root + "/a")[.posixPermissions] as? Int == 0o700)
        try Data().write(to: URL(fileURLWithPath: root + "/file"))
        for path in ["/file", "/file/below"] {
            do {
                try Folder.make(root + path)
                Issue.record("\(path) was made")
            } catch {
                #expect(error.code == ENOTDIR && "\(error)".contains(root + path))
            }
        }
    }

    @Test("only regular files below the folder are opened, through no link and without waiting")
    func open() throws {
        let root = "/tmp/st-folder-open-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try Folder.make(root + "/inside/deep/er")
        for (path, text) in [("/outside", "no"), ("/inside/a", "a"), ("/inside/deep/b", "b"), ("/inside/deep/er/c", "c")] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: root + path))
        }
        for (link, target) in [("/inside/link", "a"), ("/inside/deep/up", ".."), ("/inside/out", "../outside")] {
            #expect(symlink(target, root + link) == 0)
        }
        #expect(mkfifo(root + "/inside/fifo", 0o600) == 0)
        let folder = try Folder(root + "/inside")
        for (name, text) in [("a", "a"), ("deep/b", "b"), ("deep/er/c", "c"), ("./deep/./b", "b")] {
            var bytes = [UInt8](repeating: 0, count: 8)
            let file = try folder.open(name)
            let count = read(file.raw, &bytes, bytes.count)
            #expect(Array(bytes.prefix(count)) == Array(text.utf8), "\(name)")
        }
        let refused = [
            ("link", ELOOP), ("out", ELOOP), ("deep/up", ELOOP), ("deep/up/a", ENOTDIR), ("a/b", ENOTDIR), ("../outside", EXDEV),
            ("deep/../../outside", EXDEV), ("deep/../a", EXDEV), ("..", EXDEV), (root + "/outside", EXDEV), ("/", EXDEV), ("", ENOENT),
            ("deep//b", ENOENT), ("gone", ENOENT), ("deep", EINVAL), ("deep/er", EINVAL), ("fifo", EINVAL),
            (String(repeating: "x", count: 256), ENAMETOOLONG), (String(repeating: "x", count: 256) + "/a", ENAMETOOLONG),
        ]
        for (name, code) in refused {
            do {
                _ = try folder.open(name)
                Issue.record("\(name) was opened")
            } catch {
                #expect(error.code == code, "\(name): \(error)")
            }
        }
    }
}
