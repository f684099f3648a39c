import Foundation

/// moto, of PyPI, which speaks S3: the lesser stand-in for a store, as it keeps objects in memory and believes every signature. Those
/// are held against AWS's own examples (`S3SignerTests`).
package final class MotoPeer: Sendable {
    package let port: Int
    private let program: RunningProgram

    package init(on stage: Stage) async throws {
        port = try FreePorts.tcp()
        let server = Places.root.appendingPathComponent(".cache/python/bin/moto_server").path
        guard FileManager.default.isExecutableFile(atPath: server) else {
            throw SupportFailure("\(server) is missing: ci/packages install test fetches it")
        }
        program = try stage.start(server, ["-H", "127.0.0.1", "-p", "\(port)"])
        try await program.line(containing: "Running on", within: .seconds(60))
    }

    package var endpoint: String { "http://127.0.0.1:\(port)" }
}
