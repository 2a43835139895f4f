/* Answers as libnvidia-ml.so.1 does, from files in $NVML_STANDIN_DIR, read anew at every call:
 *
 *   devices        a line a device: TOTAL BASE_USED RESERVED UTILISATION UUID NAME...
 *   lingering-PID-* the same, listed though the process is dead
 *   process-PID-*  a line a context: DEVICE USED KIND    (USED -1: not available; KIND compute or graphics)
 *                  counts while the process PID lives, as a driver frees memory at a process's end
 *   errors         a line a failing call: FUNCTION CODE
 *
 * Sizes are bytes. A missing or malformed file answers NVML_ERROR_UNKNOWN.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum {
    OK = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    INSUFFICIENT_SIZE = 7,
    DRIVER_NOT_LOADED = 9,
    UNKNOWN = 999,
};
enum { MOST_DEVICES = 16, MOST_PROCESSES = 512, NAME_SIZE = 96 };

struct device {
    unsigned long long total, base, reserved;
    unsigned utilisation;
    char uuid[NAME_SIZE], name[NAME_SIZE];
};
struct context {
    unsigned pid, device;
    long long used;
    int graphics;
};
struct memory {
    unsigned long long total, free, used;
};
struct memory_v2 {
    unsigned version;
    unsigned long long total, reserved, free, used;
};
struct utilisation {
    unsigned gpu, memory;
};
struct process {
    unsigned pid;
    unsigned long long used;
    unsigned instance, compute_instance;
};

static int initialised;
static int handles[MOST_DEVICES];

static FILE *open_file(const char *name) {
    const char *directory = getenv("NVML_STANDIN_DIR");
    char path[PATH_MAX];
    if (directory == NULL)
        return NULL;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return fopen(path, "re");
}

static int injected(const char *function) {
    char name[NAME_SIZE];
    int code, found = OK;
    FILE *file = open_file("errors");
    if (file == NULL)
        return OK;
    while (fscanf(file, "%95s %d", name, &code) == 2)
        if (strcmp(name, function) == 0)
            found = code;
    fclose(file);
    return found;
}

static int ready(const char *function) {
    int code = injected(function);
    if (code != OK)
        return code;
    return initialised ? OK : UNINITIALIZED;
}

static int read_devices(struct device *devices) {
    int count = 0;
    char line[512];
    FILE *file = open_file("devices");
    if (file == NULL)
        return -1;
    while (count < MOST_DEVICES && fgets(line, sizeof line, file) != NULL) {
        struct device *device = &devices[count];
        if (sscanf(line, "%llu %llu %llu %u %95s %95[^\n]", &device->total, &device->base, &device->reserved,
                   &device->utilisation, device->uuid, device->name) != 6) {
            count = -1;
            break;
        }
        count++;
    }
    fclose(file);
    return count;
}

static int lives(unsigned pid) {
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

static int read_contexts(struct context *contexts) {
    const char *path = getenv("NVML_STANDIN_DIR");
    DIR *directory = path == NULL ? NULL : opendir(path);
    struct dirent *entry;
    int count = 0;
    if (directory == NULL)
        return 0;
    while ((entry = readdir(directory)) != NULL) {
        unsigned pid;
        char kind[NAME_SIZE];
        struct context context;
        FILE *file;
        if (sscanf(entry->d_name, "lingering-%u-", &pid) != 1 &&
            (sscanf(entry->d_name, "process-%u-", &pid) != 1 || !lives(pid)))
            continue;
        file = open_file(entry->d_name);
        if (file == NULL)
            continue;
        while (count < MOST_PROCESSES && fscanf(file, "%u %lld %95s", &context.device, &context.used, kind) == 3) {
            context.pid = pid;
            context.graphics = strcmp(kind, "graphics") == 0;
            contexts[count++] = context;
        }
        fclose(file);
    }
    closedir(directory);
    return count;
}

static int find(const void *handle, struct device *device) {
    struct device devices[MOST_DEVICES];
    int count = read_devices(devices);
    long index = (const int *)handle - handles;
    if (count < 0)
        return UNKNOWN;
    if (index < 0 || index >= count)
        return INVALID_ARGUMENT;
    *device = devices[index];
    return OK;
}

static unsigned long long used_on(const void *handle, const struct device *device) {
    struct context contexts[MOST_PROCESSES];
    int count = read_contexts(contexts);
    unsigned long long used = device->base;
    for (int i = 0; i < count; i++)
        if (contexts[i].used > 0 && contexts[i].device == (unsigned)((const int *)handle - handles))
            used += (unsigned long long)contexts[i].used;
    return used;
}

static int list(const char *function, const void *handle, unsigned *count, struct process *processes, int graphics) {
    struct context contexts[MOST_PROCESSES];
    int all, code = ready(function);
    unsigned room = *count, found = 0;
    if (code != OK)
        return code;
    all = read_contexts(contexts);
    for (int i = 0; i < all; i++) {
        if (contexts[i].graphics != graphics || contexts[i].device != (unsigned)((const int *)handle - handles))
            continue;
        if (found < room) {
            processes[found].pid = contexts[i].pid;
            processes[found].used = contexts[i].used < 0 ? ULLONG_MAX : (unsigned long long)contexts[i].used;
            processes[found].instance = processes[found].compute_instance = UINT_MAX;
        }
        found++;
    }
    *count = found;
    return found > room ? INSUFFICIENT_SIZE : OK;
}

static int copy_text(char *target, unsigned length, const char *text) {
    if (strlen(text) >= length)
        return INSUFFICIENT_SIZE;
    strcpy(target, text);
    return OK;
}

int nvmlInitWithFlags(unsigned flags) {
    int code = injected("nvmlInit");
    (void)flags;
    if (code == OK)
        initialised++;
    return code;
}

int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

int nvmlShutdown(void) {
    int code = ready("nvmlShutdown");
    if (code == OK)
        initialised--;
    return code;
}

const char *nvmlErrorString(int code) {
    static char text[NAME_SIZE];
    snprintf(text, sizeof text, "stand-in error %d", code);
    return text;
}

int nvmlSystemGetDriverVersion(char *version, unsigned length) { return copy_text(version, length, "stand-in"); }

int nvmlSystemGetNVMLVersion(char *version, unsigned length) { return copy_text(version, length, "stand-in"); }

int nvmlDeviceGetCount_v2(unsigned *count) {
    struct device devices[MOST_DEVICES];
    int found, code = ready("nvmlDeviceGetCount");
    if (code != OK)
        return code;
    found = read_devices(devices);
    if (found < 0)
        return UNKNOWN;
    *count = (unsigned)found;
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    struct device device;
    int code = ready("nvmlDeviceGetHandleByIndex");
    if (code != OK)
        return code;
    if (index >= MOST_DEVICES)
        return INVALID_ARGUMENT;
    *handle = &handles[index];
    return find(*handle, &device);
}

int nvmlDeviceGetName(void *handle, char *name, unsigned length) {
    struct device device;
    int code = ready("nvmlDeviceGetName");
    if (code == OK)
        code = find(handle, &device);
    return code == OK ? copy_text(name, length, device.name) : code;
}

int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned length) {
    struct device device;
    int code = ready("nvmlDeviceGetUUID");
    if (code == OK)
        code = find(handle, &device);
    return code == OK ? copy_text(uuid, length, device.uuid) : code;
}

int nvmlDeviceGetMemoryInfo(void *handle, struct memory *memory) {
    struct device device;
    int code = ready("nvmlDeviceGetMemoryInfo");
    if (code == OK)
        code = find(handle, &device);
    if (code != OK)
        return code;
    memory->total = device.total;
    memory->used = used_on(handle, &device) + device.reserved;
    memory->free = memory->total - memory->used;
    return OK;
}

int nvmlDeviceGetMemoryInfo_v2(void *handle, struct memory_v2 *memory) {
    struct device device;
    int code = ready("nvmlDeviceGetMemoryInfo_v2");
    if (code == OK)
        code = find(handle, &device);
    if (code != OK)
        return code;
    memory->total = device.total;
    memory->reserved = device.reserved;
    memory->used = used_on(handle, &device);
    memory->free = memory->total - memory->used - memory->reserved;
    return OK;
}

int nvmlDeviceGetUtilizationRates(void *handle, struct utilisation *utilisation) {
    struct device device;
    int code = ready("nvmlDeviceGetUtilizationRates");
    if (code == OK)
        code = find(handle, &device);
    if (code != OK)
        return code;
    utilisation->gpu = device.utilisation;
    utilisation->memory = 0;
    return OK;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, struct process *processes) {
    return list("nvmlDeviceGetComputeRunningProcesses", handle, count, processes, 0);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, struct process *processes) {
    return list("nvmlDeviceGetGraphicsRunningProcesses", handle, count, processes, 1);
}
