import Foundation
import Support
import Testing

@testable import Commands
@testable import Site

/// What the handbooks tell people to type.
@Suite("The handbooks")
struct HandbookTests {
    private static let files = [
        "README.md", "Provisioning/README.md", "Provisioning/OPERATE.md", "Provisioning/INSTALL.md", "systemd/README.md",
    ]

    private static func text(_ file: String) throws -> String {
        try String(contentsOf: Places.root.appendingPathComponent(file), encoding: .utf8)
    }

    /// Each command of the tool in a block of its own, on one line, without what is said beside it.
    private static func commands(of text: String) -> [[String]] {
        let joined = text.replacingOccurrences(of: "\\\n", with: " ")
        return joined.components(separatedBy: "\n").compactMap { line in
            guard line.hasPrefix("    "), let start = line.range(of: "strata-provision ") else { return nil }
            let rest = line[start.upperBound...].split(separator: "#")[0].components(separatedBy: " && ")[0]
            return rest.split(separator: " ").map(String.init)
        }
    }

    @Test("name no option and no command that the tool does not have", arguments: files)
    func commands(_ file: String) throws {
        let usage = Console.usage
        let begins = usage.components(separatedBy: "\n").compactMap { line in
            line.split(separator: " ").first.map(String.init).flatMap { $0.allSatisfy { $0.isLowercase || $0 == "-" } ? $0 : nil }
        }
        let install = Set(SiteAnswers.names + ["yes", "rollback", "from", "root", "help"])
        for words in Self.commands(of: try Self.text(file)) {
            #expect(words.contains { begins.contains($0) } || words.first == "--help", "\(file): \(words)")
            for word in words where word.hasPrefix("--") && word.count > 2 {
                let name = String(word.dropFirst(2).prefix { $0.isLetter || $0 == "-" })
                #expect(usage.contains("--\(name)") || install.contains(name), "\(file): --\(name) of \(words)")
            }
        }
    }

    @Test("tell of every answer of an installation")
    func answers() throws {
        let rows = try Self.text("Provisioning/OPERATE.md").components(separatedBy: "\n").filter { $0.hasPrefix("| `--") }
        for name in SiteAnswers.names {
            #expect(rows.contains { $0.contains("--\(name) ") || $0.contains("--\(name)`") }, "OPERATE.md has no --\(name)")
        }
    }
}
