import Testing

@testable import Relay

@Suite struct PictureProcessTests {
    @Test("a process for one picture is told where libraries lie, whose it is, and nothing else")
    func surroundings() {
        let own = ["LD_LIBRARY_PATH": "/usr/lib", "UP_MARK": "1", "STRATA_TEST_MARK": "2", "HOME": "/root", "STRATA_SECRET": "3"]
        #expect(PictureProcess.surroundings(of: own).keys.sorted() == ["LD_LIBRARY_PATH", "STRATA_TEST_MARK", "UP_MARK"])
    }
}
