/* Preloaded into a process: its writes below one folder are counted, and fail or kill at a number.

   It stands below Python, Polars, DuckDB, SQLite and obstore alike, so that every write has its
   turn: the bytes of a file, its creation, its renaming. The wall clock can be moved as well. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { NOTHING, KILL, FULL };
enum { LAKE, MLFLOW, ELSEWHERE, PLACES };

static char under[4096];
static int kind, place_hurt;
static long at = -1, clock_offset;
static long *count;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Count writes below a folder from now on; at the given one, fail or kill. */
void faults_arm(const char *folder, int what, int place, long when, const char *counter,
                long offset) {
    int file = REAL(open)(counter, O_RDWR);
    if (file < 0) return;
    void *mapped = mmap(NULL, PLACES * sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED) return;
    snprintf(under, sizeof under, "%s", folder);
    kind = what;
    place_hurt = place;
    at = when;
    clock_offset = offset;
    count = mapped;
}

/* What a process was told by the one that started it. */
__attribute__((constructor)) static void arm_from_environment(void) {
    const char *folder = getenv("FAULTS_FOLDER"), *counter = getenv("FAULTS_COUNTER");
    if (!folder || !counter) return;
    faults_arm(folder, atoi(getenv("FAULTS_KIND")), atoi(getenv("FAULTS_PLACE")),
               atol(getenv("FAULTS_AT")), counter, atol(getenv("FAULTS_CLOCK")));
}

static int place_of(const char *path) {
    const char *inside = path + strlen(under);
    if (!strncmp(inside, "/lake/", 6)) return LAKE;
    return strncmp(inside, "/mlflow/", 8) ? ELSEWHERE : MLFLOW;
}

/* Whether this write is the one, or comes after it where the disk is full. */
static int is_due(const char *path) {
    if (!count || strncmp(path, under, strlen(under))) return NOTHING;
    int place = place_of(path);
    long number = __sync_add_and_fetch(count + place, 1);
    if (place != place_hurt) return NOTHING;
    if (kind == KILL && number == at) return KILL;
    if (kind == FULL && number >= at) return FULL;
    return NOTHING;
}

static int is_due_for(int file) {
    char link[64], path[4096];
    if (!count) return NOTHING;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return NOTHING;
    path[length] = 0;
    return is_due(path);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    pause();
}

#define ON_WRITE(half)                                    \
    switch (is_due_for(file)) {                           \
        case KILL: half; die(); break;                    \
        case FULL: errno = ENOSPC; return -1;             \
    }

ssize_t write(int file, const void *bytes, size_t size) {
    ON_WRITE(REAL(write)(file, bytes, size / 2))
    return REAL(write)(file, bytes, size);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t place) {
    ON_WRITE(REAL(pwrite)(file, bytes, size / 2, place))
    return REAL(pwrite)(file, bytes, size, place);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t place) {
    ON_WRITE(REAL(pwrite64)(file, bytes, size / 2, place))
    return REAL(pwrite64)(file, bytes, size, place);
}

ssize_t writev(int file, const struct iovec *parts, int number) {
    ON_WRITE(REAL(writev)(file, parts, number / 2))
    return REAL(writev)(file, parts, number);
}

static int is_created(int folder, const char *path, int flags) {
    struct stat found;
    return (flags & O_CREAT) && fstatat(folder, path, &found, 0) != 0;
}

#define OPEN(name, with_folder, folder, ...)                    \
    mode_t mode = 0;                                            \
    if (flags & O_CREAT) {                                      \
        va_list rest;                                           \
        va_start(rest, flags);                                  \
        mode = va_arg(rest, mode_t);                            \
        va_end(rest);                                           \
    }                                                           \
    if (count && is_created(folder, path, flags)) {             \
        switch (is_due(path)) {                                 \
            case KILL: die(); break;                            \
            case FULL: errno = ENOSPC; return -1;               \
        }                                                       \
    }                                                           \
    return REAL(name)(__VA_ARGS__, mode);

int open(const char *path, int flags, ...) { OPEN(open, 0, AT_FDCWD, path, flags) }
int open64(const char *path, int flags, ...) { OPEN(open64, 0, AT_FDCWD, path, flags) }
int openat(int folder, const char *path, int flags, ...) {
    OPEN(openat, 1, folder, folder, path, flags)
}
int openat64(int folder, const char *path, int flags, ...) {
    OPEN(openat64, 1, folder, folder, path, flags)
}

#define ON_CHANGE(path)                         \
    switch (is_due(path)) {                     \
        case KILL: die(); break;                \
        case FULL: errno = ENOSPC; return -1;   \
    }

int rename(const char *from, const char *to) {
    ON_CHANGE(to)
    return REAL(rename)(from, to);
}

int link(const char *from, const char *to) {
    ON_CHANGE(to)
    return REAL(link)(from, to);
}

int mkdir(const char *path, mode_t mode) {
    ON_CHANGE(path)
    return REAL(mkdir)(path, mode);
}

int unlink(const char *path) {
    /* A full disk lets files go; a kill comes before one goes as well. */
    if (kind == KILL && is_due(path) == KILL) die();
    return REAL(unlink)(path);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int result = REAL(clock_gettime)(which, now);
    if (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE) now->tv_sec += clock_offset;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = REAL(gettimeofday)(now, zone);
    now->tv_sec += clock_offset;
    return result;
}

time_t time(time_t *where) {
    time_t now = REAL(time)(NULL) + clock_offset;
    if (where) *where = now;
    return now;
}
