import Crypto
import Glibc
import Store

/// A file that is there while control runs: where the next run finds it, the one before ended by a crash, a kill or the loss of power.
package struct RunMark: Sendable {
    private let path: String

    package init(_ folder: StateFolder) { path = "\(folder.path)/running" }

    /// - Returns: what the run before said of itself, where it did not come to its end.
    package func begin(version: String) throws -> String? {
        let before = try KeyFile.read(path)
        try KeyFile.write("version \(version) since \(Timestamp.now.text)\n", to: path)
        return before.map { String($0.prefix { !$0.isNewline }) }
    }

    package func end() { unlink(path) }
}
