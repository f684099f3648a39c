import HTTP
import Testing
import Units
import Web
import Wire

@testable import API

@Suite("A problem")
struct ProblemTests {
    @Test(
        "of a body has the status of what is wrong with it",
        arguments: [
            (BodyFault.tooLarge(limit: 5), 413, "too-large", "a body of more than 5 bytes"),
            (.timedOut, 408, "timed-out", "the body came too slowly"),
            (.malformed(HTTPFault(.headersTooLarge, "4097 bytes of trailers")), 431, "fields-too-large", "4097 bytes of trailers"),
            (.malformed(HTTPFault(.badRequest, "a chunk without a size")), 400, "malformed", "a chunk without a size"),
        ])
    func bodies(_ fault: BodyFault, _ status: Int, _ name: String, _ detail: String) {
        let problem = Gateway.problem(fault)
        #expect(problem.status == status && problem.type.hasSuffix("/\(name)") && problem.detail == detail, "\(problem)")
        #expect(fault.status.code == status)
    }

    @Test("says no more than its document lets it, whoever wrote what it is put together of")
    func bounded() {
        let long = String(repeating: "x\u{202e}", count: 5000)
        let problem = Problem(.conflict, "'\(long)' is in use", faults: [.init(field: long, expected: long)])
        for text in [problem.detail, problem.faults?.first?.field, problem.faults?.first?.expected] {
            #expect(text?.unicodeScalars.count == WireLimits.textCharacters && text?.isPlain == true)
        }
    }
}
