import Foundation
package import Testing

/// Says that a test shows a row of the product's table of features, to somebody who uses the product: so it stands on
/// end-to-end and browser tests only (`ci/check` holds that). `ci/rows` joins the claims with the last run's results.
package struct Row: TestTrait {
    private let names: [String]

    fileprivate init(_ names: [String]) { self.names = names }

    /// Notes the claim in the file that `ci/test` names: lines of `<test id>\t<row>`.
    package func prepare(for test: Test) async throws {
        guard let path = ProcessInfo.processInfo.environment["STRATA_TEST_CLAIMS"] else { return }
        // The id is printed as the event stream prints it.
        let lines = names.map { "\(test.id)\t\($0)\n" }.joined()
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SupportFailure("cannot write \(path)") }
        defer { close(descriptor) }
        // One write to an O_APPEND descriptor: tests that prepare at the same time do not mix.
        guard write(descriptor, lines, lines.utf8.count) == lines.utf8.count else { throw SupportFailure("cannot write \(path)") }
    }
}

extension Trait where Self == Row {
    package static func row(_ names: String...) -> Self { Row(names) }
}

/// A peer, a tool or a recording is not as the test needs it.
package struct SupportFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
