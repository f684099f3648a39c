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
}
