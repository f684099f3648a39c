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

    @Test("a machine has a day to renew it before anybody is told by mail, or half of its notice where that is shorter")
    func overdue() {
        let (day, end) = (86_400, 100 * 86_400)
        for (notice, from) in [(30 * day, 71 * day), (15 * day, 86 * day), (day, end - day / 2)] {
            let term = CertificateTerm(end: end, notice: notice)
            #expect(!term.isOverdue(at: from - 1) && term.isOverdue(at: from) && term.isOverdue(at: end), "\(notice)")
        }
    }
}
