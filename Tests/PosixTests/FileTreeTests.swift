import Foundation
import Glibc
import Testing

@testable import Posix

@Suite struct FileTreeTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("strata-tree-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try body(root)
    }

    @Test("a file grows by what is put behind it, and is read in parts")
    func files() throws {
        try withFolder { root in
            let file = root + "/a"
            #expect(try FileTree.look(file) == nil)
            try FileTree.append([1, 2, 3], to: file)
            try FileTree.append([4], to: file)
            #expect(try FileTree.look(file) == .file(bytes: 4, mode: 0o600))
            #expect(try FileTree.read(file, 1..<3) == [2, 3])
            #expect(try FileTree.read(file, 3..<99) == [4])
            #expect(try FileTree.read(file, 4..<99) == [])
            try FileTree.setMode(0o755, of: file)
            try FileTree.sync(file)
            try FileTree.setTime(1_700_000_000, of: file)
            try FileTree.sync(root)
            #expect(try FileTree.look(file) == .file(bytes: 4, mode: 0o755))
            #expect(FileTree.writtenAt(file) == 1_700_000_000 && FileTree.writtenAt(root + "/none") == 0)
        }
    }

    @Test("a file that is made has its mode at once, and replaces nothing")
    func make() throws {
        try withFolder { root in
            let file = root + "/a"
            try FileTree.makeFile(file, mode: 0o644)
            try FileTree.append([1], to: file)
            #expect(try FileTree.look(file) == .file(bytes: 1, mode: 0o644))
            #expect(throws: SystemError("open", EEXIST, on: file)) { try FileTree.makeFile(file, mode: 0o600) }
            try FileTree.makeLink(root + "/link", to: "nowhere")
            #expect(throws: SystemError("open", EEXIST, on: root + "/link")) { try FileTree.makeFile(root + "/link", mode: 0o600) }
            #expect(try FileTree.look(file) == .file(bytes: 1, mode: 0o644))
        }
    }

    @Test("two links change places, and neither is gone in between; without one of them nothing happens")
    func exchange() throws {
        try withFolder { root in
            try FileTree.makeLink(root + "/a", to: "one")
            try FileTree.makeLink(root + "/b", to: "two")
            try FileTree.exchange(root + "/a", root + "/b")
            #expect(try FileTree.look(root + "/a") == .link(target: "two"))
            #expect(try FileTree.look(root + "/b") == .link(target: "one"))
            #expect(throws: SystemError("renameat2", ENOENT, on: root + "/a")) { try FileTree.exchange(root + "/a", root + "/c") }
            #expect(try FileTree.look(root + "/a") == .link(target: "two"))
        }
    }

    @Test("removing a folder takes what is in it and leaves what its links point to")
    func remove() throws {
        try withFolder { root in
            try FileTree.makeFolder(root + "/kept")
            try FileTree.append([1], to: root + "/kept/file")
            for folder in ["/gone", "/gone/deep", "/gone/.hidden"] { try FileTree.makeFolder(root + folder) }
            try FileTree.append([1], to: root + "/gone/deep/file")
            try FileTree.makeLink(root + "/gone/link", to: "../kept")
            try FileTree.remove(root + "/gone")
            try FileTree.remove(root + "/gone")
            #expect(try FileTree.names(in: root) == ["kept"])
            #expect(try FileTree.names(in: root + "/kept") == ["file"])
        }
    }

    @Test("a link is not written or read through")
    func links() throws {
        try withFolder { root in
            try FileTree.append([1], to: root + "/file")
            try FileTree.makeLink(root + "/link", to: "file")
            #expect(throws: SystemError("open", ELOOP, on: root + "/link")) { try FileTree.append([2], to: root + "/link") }
            #expect(throws: SystemError("open", ELOOP, on: root + "/link")) { try FileTree.read(root + "/link", 0..<1) }
        }
    }
}
