import Testing

@testable import API

struct CertificateTermTests {
    @Test(
        "the end of a certificate is told from its notice on, in whole days, and it is looked at again when that changes",
        arguments: [
            (0, CertificateTerm.State.good, 86_400),
            (70 * 86_400 - 5, .good, 5),
            (70 * 86_400, .ending(days: 30), 86_400),
            (99 * 86_400 - 1, .ending(days: 1), 86_400),
            (100 * 86_400 - 7, .ending(days: 0), 7),
            (100 * 86_400, .over, 86_400),
            (200 * 86_400, .over, 86_400),
        ])
    func states(now: Int, state: CertificateTerm.State, wait: Int) {
        let term = CertificateTerm(end: 100 * 86_400, notice: 30 * 86_400)
        #expect(term.state(at: now) == state)
        #expect(term.nextLook(at: now) == wait)
    }
}
