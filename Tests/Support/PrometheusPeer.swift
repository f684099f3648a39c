import Foundation

/// A real Prometheus, Debian's, that asks one server for its figures each second.
package final class PrometheusPeer: Sendable {
    private let port: Int
    private let program: RunningProgram

    /// - Parameters:
    ///   - target: `127.0.0.1:8080`, asked for `/metrics` without TLS.
    ///   - tokenFile: holds the token that is sent with it.
    package init(on stage: Stage, target: String, tokenFile: String) async throws {
        port = try FreePorts.tcp()
        let configuration = try stage.folder.write(
            """
            global:
              scrape_interval: 1s
            scrape_configs:
              - job_name: strata
                authorization:
                  credentials_file: \(tokenFile)
                static_configs:
                  - targets: ["\(target)"]

            """, to: "prometheus.yml")
        program = try stage.start(
            "prometheus",
            [
                "--config.file=\(configuration)", "--storage.tsdb.path=\(stage.folder["prometheus"])",
                "--web.listen-address=127.0.0.1:\(port)",
                "--log.level=warn",
            ])
    }

    /// How many series a query gives now.
    ///
    /// - Throws: `SupportFailure` with Prometheus' own words where it is none.
    package func count(_ query: String) async throws -> Int {
        let answer = try await runTool(
            "curl", ["-s", "-m", "5", "-G", "http://127.0.0.1:\(port)/api/v1/query", "--data-urlencode", "query=\(query)"])
        struct Answer: Decodable {
            struct Data: Decodable { let result: [Series] }
            struct Series: Decodable {}
            let status: String
            let error: String?
            let data: Data?
        }
        let read = try JSONDecoder().decode(Answer.self, from: answer.output)
        guard read.status == "success", let data = read.data else { throw SupportFailure("\(query): \(read.error ?? read.status)") }
        return data.result.count
    }

    /// Waits until the server has been asked twice with success: what a rate needs.
    package func ready() async throws {
        try await eventually(within: .seconds(20), "Prometheus has asked three times") {
            // It takes a second or two to listen.
            (try? await count("count_over_time(up[1m]) >= 3 and up == 1")) == 1
        }
    }

    package func end() async throws { try await program.stop() }
}
