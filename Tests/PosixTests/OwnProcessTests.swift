import CLab
import Foundation
import Glibc
import Posix
import Testing

@Suite("Own process")
struct OwnProcessTests {
    @Test("a thread has the name it was started under, and the one that started it has its own again")
    func inherited() throws {
        let before = ownName()
        let seen = Guarded("")
        try naming(startedThreads: "a library's own") {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(seen)
            let code = pthread_create(&thread, nil, nameThread, context.toOpaque())
            try #require(code == 0)
            pthread_join(thread, nil)
        }
        #expect(seen.withLock { $0 } == "a library's own")
        #expect(ownName() == before)
    }

    @Test("what is confined opens no file, no socket and no process, signals nobody and runs nothing that it wrote, and goes on")
    func confined() {
        // Of what it is refused, a bit each; without being confined it is refused none of it.
        #expect(clab_in_child(attempt) == 0)
        #expect(clab_in_child { confineOr(attempt) } == 0b11111)
        #expect(clab_in_child { confineOr { malloc(8 << 20) == nil ? 1 : 0 } } == 0)
    }

    @Test("what is confined ends where it takes more memory or time than it may")
    func bounded() {
        #expect(clab_in_child { confineOr { malloc(3 << 30) == nil ? 7 : 0 } } == 7)
        #expect(
            clab_in_child {
                confineOr {
                    while true { sched_yield() }
                }
            } > 256)
    }
}

/// As the kernel has it. Source: proc(5).
private func ownName() -> String {
    let text = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
    return text?.trimmingCharacters(in: .newlines) ?? ""
}

private func nameThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<Guarded<String>>.fromOpaque(context).takeRetainedValue().withLock { $0 = ownName() }
    return nil
}

/// Runs in a forked child: calls of the system, and nothing that another thread could have locked.
private func confineOr(_ body: () -> CInt) -> CInt {
    do {
        // These tests have more than a decoder of their own.
        try confine(Bounds(memoryBytes: 2 << 30, processorSeconds: 1, fileBytes: 1024))
    } catch {
        return 77
    }
    return body()
}

private func attempt() -> CInt {
    var refused: CInt = 0
    func note(_ bit: CInt, _ isDone: Bool) { if !isDone, errno == EPERM { refused |= 1 << bit } }
    note(0, open("/etc/passwd", O_RDONLY) >= 0)
    note(1, socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0) >= 0)
    note(2, kill(getpid(), 0) == 0)
    note(3, mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
    let child = clab_in_child { 0 }
    note(4, child == 0)
    return refused
}
