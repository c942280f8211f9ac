// Marks a function that bodies on every device call.
#pragma once

#ifdef __CUDACC__
#define RATNET_EVERYWHERE __host__ __device__
#else
#define RATNET_EVERYWHERE
#endif
